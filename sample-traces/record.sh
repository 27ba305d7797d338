#!/usr/bin/env bash
# Records the sample traces and profiles anew from the program in paycore/.
#
#   sample-traces/record.sh [main|fixed|old|demo]…      default: main fixed demo
#
#   main    trace.out and the profiles of the same seconds, by $GO
#   fixed   fixed-trace.out and fixed-cpu.pb.gz, by $GO
#   old     go1.22-trace.out and go1.21-trace.out, by $GO_1_22 and $GO_1_21
#   demo    assets/demo.* from the files of main
#
# $GO is Go 1.27 or later (default: go on PATH). A recording that does not show
# what README.md promises is made again a few times; if it never does, the
# script fails and the old files stay.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
assets=$here/../assets
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "record.sh: $*" >&2; exit 1; }

# What makes recordings alike on different machines: two Ps, and a new
# generation every 0.6 s so that a short trace has several.
export GOMAXPROCS=2 GODEBUG=traceadvanceperiod=600000000
export GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0
unset GOROOT GOGC GOMEMLIMIT

# build GO WANTED-VERSION. File names in the recordings must say nothing about
# this machine, hence -trimpath.
build() {
  local is
  is=$("$1" env GOVERSION) || fail "cannot run $1"
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $is == $2 ]] || fail "$1 is $is, not $2"
  (cd "$here/paycore" && "$1" build -trimpath -o "$work/paycore" .)
}

# top PROFILE OPTIONS…: the profile's table, in samples.
top() {
  local profile=$1
  shift
  "$go" tool pprof -top -cum -sample_index=samples -nodefraction=0 "$@" "$work/paycore" "$profile" 2>/dev/null
}

# accounted: the number of samples that a table on standard input is about.
accounted() { sed -n 's/^Showing nodes accounting for \([0-9]*\).*/\1/p'; }

# keeps_promise PROFILE: enough samples, about two thirds of them in a map
# assignment, and of those more than 90 % from the one line.
keeps_promise() {
  local all assign line
  all=$(top "$1" | accounted)
  assign=$(top "$1" -show='^runtime\.mapassign' | accounted)
  line=$(top "$1" -lines -focus='^runtime\.mapassign' -show='payment/order_cache\.go' |
    awk '/payment\/order_cache\.go:47$/ { print $4 }')
  echo "$all samples, ${assign:=0} in runtime.mapassign*, ${line:=0} of these from payment/order_cache.go:47"
  [ "$all" -ge 150 ] && [ $((assign * 100)) -ge $((all * 55)) ] && [ $((assign * 100)) -le $((all * 72)) ] &&
    [ $((line * 100)) -gt $((assign * 90)) ]
}

go=${GO:-go}
[ $# -gt 0 ] || set -- main fixed demo
for group; do
  case $group in
    main)
      build "$go" 'go1.2[7-9]*'
      for try in 1 2 3 4 5 6; do
        "$work/paycore" -out "$work" -for 2s
        if keeps_promise "$work/cpu.pb.gz"; then break; fi
        [ "$try" -lt 6 ] || fail "no recording shows what it should; see README.md"
      done
      cp "$work"/{trace.out,cpu.pb.gz,heap.pb.gz,mutex.pb.gz,block.pb.gz} "$here"
      ;;
    fixed)
      build "$go" 'go1.2[7-9]*'
      "$work/paycore" -out "$work" -prefix fixed- -for 2s -fixed
      cp "$work"/fixed-{trace.out,cpu.pb.gz} "$here"
      ;;
    old)
      for version in 1.22 1.21; do
        var=GO_${version/./_}
        build "${!var:?names a go of version $version}" "go$version*"
        "$work/paycore" -out "$work" -prefix "go$version-" -for 400ms
        cp "$work/go$version-trace.out" "$here"
      done
      ;;
    demo)
      mkdir -p "$assets"
      gzip -9 -n -c "$here/trace.out" > "$assets/demo.trace.gz"
      cp "$here/cpu.pb.gz" "$assets/demo.cpu.pb.gz"
      ;;
    *) fail "no group $group" ;;
  esac
done
du -bc "$here"/*.out "$here"/*.gz | tail -n 1
