#!/usr/bin/env bash
# Makes the table "Beside other tools" of benches/README.md: how long each takes for the same files in the same run, and the
# most memory that each takes.
#
#   benches/table.sh FILE...          prints it
#   benches/table.sh --write FILE...  puts it into benches/README.md
#
# GOTRAIL is the gotrail to measure (usually target/release/gotrail). ORACLE is a program that reads a trace with Go's own
# reader and does nothing else when it is called as `ORACLE -bench FILE`. GOTRACE is the binary of `go tool trace`; usually
# that of GO (usually go). What is not there is left out of the table, and said to be. RUNS is how often each is run: pairs in
# turn, and the best of each counts.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
write=
if [ "${1:-}" = --write ]; then
    write=1
    shift
fi
if [ $# = 0 ]; then
    sed -n '2,12s/^# \{0,1\}//p' "$0"
    exit 2
fi
gotrail=${GOTRAIL:-$here/../target/release/gotrail}
gotrace=${GOTRACE:-$("${GO:-go}" tool -n trace 2>/dev/null || true)}
[ -x /usr/bin/time ] || { echo "there is no /usr/bin/time here" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Prints seconds and KB of a command that ends.
ended() {
    /usr/bin/time -o "$tmp/time" -f '%e %M' "$@" >/dev/null 2>&1 || { echo "failed: $*" >&2; exit 1; }
    tail -n 1 "$tmp/time"
}

# Prints seconds until `go tool trace` serves its pages, and KB by then.
served() {
    local start now pid
    : >"$tmp/served"
    start=$(date +%s%N)
    BROWSER=true "$gotrace" -http=127.0.0.1:0 "$1" >"$tmp/served" 2>&1 &
    pid=$!
    until grep -q listening "$tmp/served"; do
        kill -0 "$pid" 2>/dev/null || { echo "failed: $gotrace $1" >&2; exit 1; }
        sleep 0.02
    done
    now=$(date +%s%N)
    awk -v s="$start" -v n="$now" '/^VmHWM/ { printf "%.2f %d\n", (n - s) / 1e9, $2 }' "/proc/$pid/status"
    kill "$pid"
    wait "$pid" 2>/dev/null || true
}

# A row: what it is, seconds and KB of the best run, and how many times as long as ours that is.
row() {
    sort -n "$2" | head -1 | awk -v what="$1" -v ours="$3" '{
        times = $1 / (ours > 0 ? ours : 0.01)
        if (times >= 9.95) shown = sprintf("%.0f", times); else shown = sprintf("%.1f", times)
        printf "| | | %s | %.2f s | %s | %.0f MB |\n", what, $1, shown, $2 / 1024
    }'
}

table() {
    local file events ours i what
    echo "| trace | events | tool | time | times ours | memory |"
    echo "|---|--:|---|--:|--:|--:|"
    for file in "$@"; do
        rm -f "$tmp"/run.*
        for ((i = 0; i < ${RUNS:-3}; i++)); do
            for what in summary findings locks sched; do
                # `findings` ends with 1 where there are some.
                ended sh -c '"$@" || [ $? = 1 ]' - "$gotrail" $what --no-cache --format json "$file" >>"$tmp/run.$what"
            done
            [ -z "${ORACLE:-}" ] || ended "$ORACLE" -bench "$file" >>"$tmp/run.reader"
            [ -z "$gotrace" ] || served "$file" >>"$tmp/run.gotrace"
        done
        events=$("$gotrail" summary --no-cache --format json "$file" | sed -n 's/.*"events": *\([0-9]*\).*/\1/p' | head -1)
        ours=$(sort -n "$tmp/run.summary" | head -1 | cut -d' ' -f1)
        printf '| %s, %d MB | %s | | | | |\n' "${file##*/}" "$(($(stat -c %s "$file") >> 20))" "$events"
        for what in summary findings locks sched; do
            row "\`gotrail $what\`" "$tmp/run.$what" "$ours"
        done
        [ -z "${ORACLE:-}" ] || row "Go's reader, reading alone" "$tmp/run.reader" "$ours"
        [ -z "$gotrace" ] || row "\`go tool trace\`, until it serves" "$tmp/run.gotrace" "$ours"
    done
    [ -n "${ORACLE:-}" ] || printf "\nLeft out: Go's reader (ORACLE).\n"
    [ -n "$gotrace" ] || printf '\nLeft out: `go tool trace` (GO, GOTRACE).\n'
}

table "$@" >"$tmp/table"
if [ -z "$write" ]; then
    cat "$tmp/table"
    exit
fi
awk -v table="$tmp/table" '
    /^<!-- table -->$/ { print; print ""; while ((getline line < table) > 0) print line; print ""; inside = 1 }
    /^<!-- end of table -->$/ { inside = 0 }
    !inside { if ($0 != "<!-- table -->") print }
' "$here/README.md" >"$tmp/readme"
cat "$tmp/readme" >"$here/README.md"
