#!/usr/bin/env bash
# Records the programs of this folder into ../data, and beside each trace the
# facts that Go's own reader states of it.
#
#   GO=… GO_1_22=… GO_1_24=… GO_1_26=… FACTS=… tests/programs/record.sh [PROGRAM…]
#   GO=… tests/programs/record.sh beside
#
#   GO        Go 1.27 or later (default: go on PATH)
#   GO_1_22   Go 1.22, for annotations-go1.22 (left alone if not set)
#   GO_1_24, GO_1_26   the same for requests-go1.24 and requests-go1.26
#   FACTS     a command that prints the facts of a trace as JSON, by way of
#             Go's internal/trace; without it the facts of a trace that is
#             recorded anew are removed, for they would be of another run
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
data=$here/../data
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() { echo "record.sh: $*" >&2; exit 1; }
export GOTOOLCHAIN=local GOFLAGS=-mod=mod CGO_ENABLED=0 GOMAXPROCS=2
unset GOROOT

build() { # GO WANTED-VERSION
  local is
  is=$("$1" env GOVERSION) || fail "cannot run $1"
  # shellcheck disable=SC2053 # the wanted version is a pattern
  [[ $is == $2 ]] || fail "$1 is $is, not $2"
  (cd "$here" && "$1" build -trimpath -o "$work/programs" .)
}

record() { # PROGRAM FILE-NAME
  local debug=
  # Several generations while one goroutine sits in one syscall, and many in less than a second.
  if [ "$1" = syscall ] || [ "$1" = long ]; then debug=traceadvanceperiod=20000000; fi
  if [ "$1" = holdup ]; then debug=asyncpreemptoff=1; fi
  GODEBUG=$debug "$work/programs" "$1" "$data/$2.trace"
  rm -f "$data/$2.facts.json.gz"
  if [ -n "${FACTS:-}" ]; then
    $FACTS "$data/$2.trace" | gzip -9 -n > "$data/$2.facts.json.gz"
  fi
}

# What a program of beside/ writes: a trace, and what stands beside it.
beside() {
  local go=${GO:-go}
  (cd "$here/beside" && "$go" build -trimpath -o "$work/beside" .)
  (cd "$here/beside" && CGO_ENABLED=1 "$go" build -race -trimpath -o "$work/racy" .)
  "$work/beside" leaks "$data/beside"
  "$work/beside" orders "$data/beside"
  gzip -9 -n -f "$data"/beside/{before,after,orders}.txt
  "$work/racy" race "$data/beside" 2> "$data/beside/race.txt" || true
  "$work/beside" mapwrites "$work" 2> "$data/beside/mapwrites.txt" || true
}
if [ "$*" = beside ]; then beside; exit; fi

# One program, and the same with 200 µs more in one function: by a loop, and by a sleep.
change() {
  (cd "$here/change" && "${GO:-go}" build -trimpath -o "$work/change" .)
  mkdir -p "$data/change"
  local name
  for name in before spin sleep; do
    "$work/change" counter "$work/$name.trace" 3000 "${name/before/}"
    gzip -9 -n < "$work/$name.trace" > "$data/change/$name.trace.gz"
  done
}
if [ "$*" = change ]; then change; exit; fi

all=(across annotations behind chain condstorm contexts convoy coroutine crew deadline deadlock dismissed dumped exchange exhausted filelock flight gone holdup hostile idle keepalive knot leak limit locked long makers network nil once path patience picker pipeline pipewriters pool readers receiver
  reload requests restart retries roles selects shards slots slowlock slowpool slowserve starved sweep sweeplight syscall timer unbuffered waits wrapped)
[ $# -gt 0 ] || set -- "${all[@]}"
build "${GO:-go}" 'go1.2[7-9]*'
for program; do
  # What is recorded by other versions alone.
  [ "$program" = requests ] || record "$program" "$program"
done
if [ -n "${GO_1_22:-}" ] && [[ " $* " == *" annotations "* ]]; then
  build "$GO_1_22" 'go1.22*'
  record annotations annotations-go1.22
fi
for minor in 24 26; do
  go=GO_1_$minor
  if [ -n "${!go:-}" ] && [[ " $* " == *" requests "* ]]; then
    build "${!go}" "go1.$minor*"
    record requests requests-go1.$minor
  fi
done
