#!/usr/bin/env bash
# Holds `gotrail summary` against Go's own trace reader, on the same files in the same run.
#
#   benches/compare.sh FILE...
#
# ORACLE is a program that reads a trace with Go's own reader (golang.org/x/exp/trace, or internal/trace) and does nothing
# else when it is called as `ORACLE -bench FILE`. Without it, GO (usually go) is the toolchain to use: its
# `go tool trace -d=parsed` reads in the same way, but prints every event, which costs more than reading.
# GOTRAIL is the gotrail to measure (usually target/release/gotrail), RUNS how often each is run; the best run counts.
set -euo pipefail

if [ $# = 0 ]; then
    sed -n '2,10s/^# \{0,1\}//p' "$0"
    exit 2
fi
gotrail=${GOTRAIL:-$(dirname "$0")/../target/release/gotrail}
go=${GO:-go}
if [ -n "${ORACLE:-}" ]; then
    theirs=("$ORACLE" -bench)
elif "$go" tool -n trace >/dev/null 2>&1; then
    theirs=("$go" tool trace -d=parsed)
else
    echo "there is no Go toolchain here: set GO or ORACLE" >&2
    exit 2
fi
ours=("$gotrail" summary --no-cache --format json)

# Prints wall and CPU seconds of a command, of its best run.
best() {
    local TIMEFORMAT='%R %U %S' i
    for ((i = 0; i < ${RUNS:-3}; i++)); do
        { time "$@" >/dev/null 2>/dev/null; } 2>&1
    done | sort -n | awk 'NR == 1 { printf "%s %.3f", $1, $2 + $3 }'
}

echo "ours: ${ours[*]}; theirs: ${theirs[*]}"
printf '%-30s %10s %10s %10s %10s %8s %8s %10s\n' file 'ours wall' cpu 'theirs' cpu wall cpu ns/event
for file in "$@"; do
    read -r wall cpu <<<"$(best "${ours[@]}" "$file")"
    read -r their_wall their_cpu <<<"$(best "${theirs[@]}" "$file")"
    events=$("${ours[@]}" "$file" 2>/dev/null | sed -n 's/.*"events": *\([0-9]*\).*/\1/p' | head -1)
    awk -v f="${file##*/}" -v w="$wall" -v c="$cpu" -v tw="$their_wall" -v tc="$their_cpu" -v n="${events:-0}" 'BEGIN {
        printf "%-30s %9.3fs %9.3fs %9.3fs %9.3fs %7.1fx %7.1fx %10.1f\n", f, w, c, tw, tc,
            tw / (w + 1e-9), tc / (c + 1e-9), n ? w * 1e9 / n : 0
    }'
done
