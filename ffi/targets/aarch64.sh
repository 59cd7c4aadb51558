#!/usr/bin/env bash
# AArch64 under qemu's user mode: the C examples with and without libc, then tests of the core. Arguments, if any, go to
# `cargo test` instead of the choice made here.
. "$(dirname "$0")/common.sh"
target=aarch64-unknown-linux-gnu
need_tools aarch64-linux-gnu-gcc qemu-aarch64
# Tests need the whole standard library, which is not built here for want of one.
has_std $target || skip "no standard library for $target: rustup target add $target"
library=$(bare_metal $target)
aarch64-linux-gnu-gcc $freestanding ffi/examples/freestanding.c "$library" -nostdlib -static -Wl,--gc-sections \
    -o "$out/aarch64-freestanding"
qemu-aarch64 "$out/aarch64-freestanding" | tee "$out/aarch64.txt"
cmp "$out/aarch64.txt" "$(reference)"

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
cargo build --quiet --release -p aznas-ffi --target $target --target-dir "$out/cargo"
for example in score freestanding; do
    aarch64-linux-gnu-gcc -std=c11 -O2 -DHOSTED -Iinclude ffi/examples/$example.c \
        "$out/cargo/$target/release/libaznas.a" -lpthread -ldl -lm -o "$out/aarch64-$example"
    qemu-aarch64 -L /usr/aarch64-linux-gnu "$out/aarch64-$example" | tee "$out/aarch64-$example.txt"
done
cmp "$out/aarch64-freestanding.txt" "$(reference)"
echo "aarch64: same bits"

# The programs of aznas-ffi's tests are for the machine that compiles them. Of the core's, those run that compute with the vectors of
# this target and that an emulator gets through in a few minutes; of the core that is built already.
if [ $# = 0 ]; then
    echo "SKIPPED $target: what has no vectors in it (spaces, search, ranking, heap calls, layering, sources, programs);" \
        "published scores, half-split of many cells, large spectra, exact zeros of Winograd's convolutions (many minutes under an emulator)"
    tests=(costs determinism golden proxies transformer workspace)
    set -- --lib "${tests[@]/#/--test=}" -- --skip aggregate:: --skip search:: --skip spaces:: --skip as_published \
        --skip at_every_order --skip of_large_matrices --skip for_balanced_matrices --skip reductions_agree --skip is_exactly_zero
fi
cargo test --quiet --release -p aznas -p aznas-tests --target $target --target-dir "$out/cargo" "$@"
