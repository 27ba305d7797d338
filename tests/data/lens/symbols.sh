#!/usr/bin/env bash
# Writes symbols.txt: the functions of real Go runtimes that speak of what the lenses are about, one a line, and the
# versions that have them.
#
#   tests/data/lens/symbols.sh 1.21=GOROOT … 1.27=GOROOT > tests/data/lens/symbols.txt
#
# Each GOROOT is a Go distribution. Its `bin/go` is a Go program with much of the standard library in it; where that has
# no symbols, as in Debian's, the archives of packages are looked at instead.
set -euo pipefail
export LC_ALL=C

names() {
  local root=$1
  local nm=$root/pkg/tool/linux_amd64/nm
  [ -x "$nm" ] || nm="$root/bin/go tool nm"
  if [ "$($nm "$root/bin/go" 2>/dev/null | wc -l)" -gt 100 ]; then
    $nm "$root/bin/go" | awk '$2 ~ /^[Tt]$/ { print $3 }'
  else
    for pkg in runtime reflect sync internal/poll net syscall; do
      # An archive names its own package "".
      $nm "$root/pkg/linux_amd64/$pkg.a" | awk '$3 ~ /^[Tt]$/ { print $4 }' | sed "s|^\"\"\\.|$pkg.|"
    done
  fi
}

echo "# Made by symbols.sh: functions of real Go runtimes, linux/amd64, and the versions that have them."
for pair in "$@"; do
  names "${pair#*=}" | sed 's/\.abi0$//; s/<1>$//; s/\.func[0-9.]*$//; s/\.deferwrap[0-9]*$//; s/\[.*$/[*/' |
    grep -E '^((runtime|reflect|sync|internal/sync|internal/concurrent|internal/poll|maps|net|syscall)\.|internal/runtime/(maps|syscall|cgroup)|runtime/internal/syscall|(aeshashbody|memeqbody|cmpbody|gcWriteBarrier)$|type:?\.\.?(hash|eq)\.)' |
    grep -iE 'map|^internal/runtime/maps|(runtime|reflect|sync)\..*(hash|equal|faceeq|conv[TI]|assert|typeAssert|getitab|chan|select|sema|mallocgc|newobject|newarray|makeslice|growslice|gcAssist|gcBgMark|gcDrain|gcStart|gcMark|gcWriteB|wbBuf|sweepone|bgsweep|bgscav|markroot|scanobject|schedule|findrunn|gopark|goready|wakep|startm|mcall|asyncPreempt|newproc|stopTheWorld|startTheWorld|netpoll|entersyscall|exitsyscall|cgocall|concat|slicebyte|rune)|sync\.\(\*(Mutex|RWMutex|WaitGroup|Cond|Once)\)|sync\.(runtime_|Once)|pollDesc|^net\.(\(\*(conn|netFD|Dialer|Resolver)\)|dial)|^syscall\.(Raw)?Syscall|internal/syscall|runtime/syscall|(hash|eq|cmp)body|^type:?\.\.?(hash|eq)\.runtime\.(errorString|itab)|runtime\.\(\*timers?\)|runtime\.(deductAssist|GC$|\(\*(mcache|mcentral|mheap|pageAlloc|sweepLocked|gcControllerState|semaRoot|scavenge[A-Za-z]*|itabTableType)\)|preempt|gfget|malg|goexit|notesleep|futexsleep|panicdottype|unsafe_New)|^net\.(cgo|Lookup)' |
    grep -vE '\.(init|map\.init)[.0-9]*$|stkobj|arginfo' | sort -u | sed "s/^/${pair%%=*} /"
done | sort -k2 -s | awk '{ if ($2 != last) { if (last) print last, versions; last = $2; versions = $1 } else versions = versions "," $1 } END { print last, versions }'
