#!/usr/bin/env bash
# RISC-V without libc: the freestanding example under qemu's user mode.
. "$(dirname "$0")/common.sh"
target=riscv64gc-unknown-none-elf
need_tools riscv64-unknown-elf-gcc qemu-riscv64
need_std $target
library=$(bare_metal $target)
riscv64-unknown-elf-gcc $freestanding -march=rv64gc -mabi=lp64d -mcmodel=medany ffi/examples/freestanding.c "$library" \
    -nostdlib -static -Wl,--gc-sections -o "$out/riscv64"
qemu-riscv64 "$out/riscv64" | tee "$out/riscv64.txt"
cmp "$out/riscv64.txt" "$(reference)"
echo "riscv64: same bits"
