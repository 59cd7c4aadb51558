#!/usr/bin/env bash
# AArch64 under qemu's user mode: the tests of the core, then the C examples with and without libc.
. "$(dirname "$0")/common.sh"
target=aarch64-unknown-linux-gnu
need_tools aarch64-linux-gnu-gcc qemu-aarch64
need_std $target
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

# The programs of aznas-ffi's tests are for the machine that compiles them.
cargo test --quiet -p aznas --target $target --target-dir "$out/cargo" "$@"
