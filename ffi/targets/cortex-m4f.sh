#!/usr/bin/env bash
# Cortex-M4F: scores a NAS-Bench-201 cell (C=4, N=1, 8x8, batch 2) with stack, data and workspace in 256 KiB of RAM, and
# shows the flash that `aznas_score` and `aznas_aggregate` take with all that the feature `small` leaves in: every space but
# NDS, and the operators that these are made of. Fails where flash or stack is more than it may be.
. "$(dirname "$0")/common.sh"
target=thumbv7em-none-eabihf
flash_limit=$((160 * 1024))
stack_limit=$((60 * 1024))

# check_limit NAME BYTES LIMIT
check_limit() {
    echo "$1: $2 of $3 bytes"
    [ "$2" -le "$3" ] || { echo "cortex-m4f: more $1 than it may take" >&2; exit 1; }
}

need_tools arm-none-eabi-gcc arm-none-eabi-size
need_std $target
export CARGO_PROFILE_BARE_METAL_OPT_LEVEL=z # flash matters more than time
library=$(bare_metal $target --features small)
arm-none-eabi-gcc $freestanding -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -ffunction-sections -DBOARD \
    -DWORKSPACE=98304 ffi/examples/freestanding.c ffi/targets/cortex-m4f.c "$library" -nostdlib -T ffi/targets/cortex-m4f.ld \
    -Wl,--gc-sections -Wl,-u,aznas_aggregate -z noexecstack -lgcc -o "$out/cortex-m4f.elf"
check_limit flash "$(arm-none-eabi-size "$out/cortex-m4f.elf" | awk 'END { print $1 + $2 }')" $flash_limit
qemu=${QEMU_SYSTEM_ARM:-qemu-system-arm}
command -v "$qemu" >/dev/null || qemu=$(unpack_qemu_system) || skip "$qemu is not installed"
timeout 300 "$qemu" -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none \
    -semihosting-config enable=on,target=native -kernel "$out/cortex-m4f.elf" 2>&1 | tee "$out/cortex-m4f.txt"
grep -v '^stack ' "$out/cortex-m4f.txt" | cmp - "$(reference)"
check_limit stack "$(sed -n 's/^stack //p' "$out/cortex-m4f.txt")" $stack_limit
echo "cortex-m4f: same bits"
