#!/usr/bin/env bash
# Prints how many instructions `gotrail summary` takes an event, and how many branches callgrind's model mispredicts. Unlike
# times, these are the same whatever else the machine does, and can be compared between days.
#
#   benches/instructions.sh FILE...
#
# Needs valgrind. GOTRAIL is the gotrail to measure (usually target/release/gotrail), COMMAND what it is asked for
# (usually summary).
set -euo pipefail

if [ $# = 0 ]; then
    sed -n '2,8s/^# \{0,1\}//p' "$0"
    exit 2
fi
gotrail=${GOTRAIL:-$(dirname "$0")/../target/release/gotrail}
command=${COMMAND:-summary}
command -v valgrind >/dev/null || { echo "there is no valgrind here" >&2; exit 2; }

printf '%-30s %12s %14s %14s %12s\n' file events instr/event mispred/event 'of them ind.'
for file in "$@"; do
    events=$("$gotrail" summary --no-cache --format json "$file" 2>/dev/null | sed -n 's/.*"events": *\([0-9]*\).*/\1/p' | head -1)
    # "Collected" has instructions, conditional branches and those mispredicted, indirect ones and those mispredicted.
    counts=$(valgrind --tool=callgrind --branch-sim=yes --callgrind-out-file=/dev/null \
        "$gotrail" "$command" --no-cache --format json "$file" 2>&1 >/dev/null | sed -n 's/.*Collected : //p')
    awk -v f="${file##*/}" -v n="${events:-0}" '{
        printf "%-30s %12d %14.1f %14.2f %12.2f\n", f, n, n ? $1 / n : 0, n ? ($3 + $5) / n : 0, n ? $5 / n : 0
    }' <<<"$counts"
done
