#!/bin/sh
# Runs a fuzz target: fuzz/run.sh TARGET [SECONDS]. Seeds come from tests/data and, where it is there, ../shared.
# The stable compiler and a C++ compiler (for libFuzzer) are enough, because no sanitizer is asked for: the code has no unsafe
# memory to sanitize, what is looked for are panics, endless loops and memory.
set -eu
cd "$(dirname "$0")/.."
target=$1
seconds=${2:-600}
corpus=fuzz/corpus/$target
mkdir -p "$corpus"

# Copies files that are not too large to the corpus; for the wire targets without their header, the version as a byte.
seed() {
    for f in "$@"; do
        [ -f "$f" ] && [ "$(wc -c <"$f")" -lt 65536 ] || continue
        case $target in
        v1 | v2) { printf '%b' "\\$(printf '%03o' "$(($(wc -c <"$f") % 28))")"; tail -c +17 "$f"; } ;;
        *) cat "$f" ;;
        esac >"$corpus/seed-$(basename "$f")"
    done
}

case $target in
v2) seed tests/data/*.trace ../shared/corpus/go-reader-tests/* ../shared/corpus/go-fuzz/* ;;
v1) seed tests/data/v1/*.trace ../shared/corpus/go-v1-tests/* ../shared/corpus/go-v1-old-tests/* ;;
whole) seed tests/data/*.trace tests/data/v1/*.trace ../shared/corpus/go-fuzz/* ../shared/corpus/go-reader-tests/* ;;
pprof) seed tests/data/*.pb tests/data/*.pb.gz ../shared/corpus/pprof-tests/* ../shared/corpus/profiles/* ;;
binary) seed tests/data/binary/* ;;
viewer)
    for f in tests/data/*.trace; do
        { printf '\120\030\005123n\r'; printf '\003'; tail -c +17 "$f"; } >"$corpus/seed-$(basename "$f")"
    done
    ;;
kept) printf '\000\001\377\100\002\001' >"$corpus/seed-1" ;;
told)
    seed tests/data/beside/*.txt ../shared/field/profiles/debug2-*/*.txt
    gzip -dc tests/data/beside/after.txt.gz | tail -c 4096 >"$corpus/seed-labels"
    sed 's/^/[pod\/web-0\/app] 2026-11-27T18:12:03.5Z /' tests/data/beside/race.txt >"$corpus/seed-prefixed"
    ;;
perf) seed ../shared/kernel/*.txt ../shared/field/profiles/perf-script/*.txt ;;
folded) printf 'main;f 1\nmain;g h 2.5\n' >"$corpus/seed-1" ;;
speedscope | firefox) seed tests/data/other/"$target"* ;;
chrome) seed tests/data/other/chrome* ../shared/field/profiles/cpuprofile/*.cpuprofile ;;
filter)
    n=0
    for q in mapassign 'func:payment.* state:waiting' 'reason:sync dur>1ms' 'file:order_cache.go:47' 'g:12 p:0 m:33' \
        'group:"payment.(*Core).settler"' 'kind:log cat:map msg:x or task:t region:r' 'gc and not stw' 't:1ms..2ms' \
        '(by:"payment.*" or /a+b/) -c'; do
        n=$((n + 1))
        printf %s "$q" >"$corpus/seed-$n"
    done
    ;;
source)
    printf '../../etc/passwd\nmain.main\n/build=x' >"$corpus/seed-1"
    printf 'v2/order.rs\npayment.F\nv2=x' >"$corpus/seed-2"
    printf '/usr/local/go/src/runtime/map.go\nruntime.mapassign\n' >"$corpus/seed-3"
    printf 'example.com/a@v1.2.3/b/c.go\nexample.com/a/b.F\nexample.com/a=x' >"$corpus/seed-4"
    ;;
esac

[ -d "tests/data/fuzz/$target" ] && cp "tests/data/fuzz/$target"/* "$corpus/"
# All targets are built at once: most of it is the library, which they share.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/fuzz/target}"
RUSTC_WRAPPER="$PWD/fuzz/rustc" CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true CARGO_PROFILE_RELEASE_OVERFLOW_CHECKS=true \
    cargo build --release --manifest-path fuzz/Cargo.toml --bins
mkdir -p "fuzz/artifacts/$target"
exec "$CARGO_TARGET_DIR/release/$target" "$corpus" -artifact_prefix="fuzz/artifacts/$target/" \
    -max_total_time="$seconds" -rss_limit_mb=512 -timeout=10 -max_len=65536 -print_final_stats=1
