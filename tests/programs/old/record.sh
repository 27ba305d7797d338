#!/bin/sh
# Records the programs into ../../data/old, by the Go toolchains that are given as VERSION=PATH, such as 1.21=/opt/go1.21/bin/go.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
for toolchain; do
  version=${toolchain%%=*}
  GOTOOLCHAIN=local "${toolchain#*=}" build -trimpath -o "$work/old" .
  for name in restart reopened unserved heldbefore cancelled; do
    "$work/old" "$name" "../../data/old/$name-go$version.trace"
  done
done
