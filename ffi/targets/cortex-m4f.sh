#!/usr/bin/env bash
# Cortex-M4F: scores a NAS-Bench-201 cell (C=4, N=1, 8x8, batch 2) with stack, data and workspace in 256 KiB of RAM, and
# shows the flash that `aznas_score` and `aznas_aggregate` take with all that the feature `small` leaves in: every space but
# NDS, and the operators that these are made of. Then selects one of the structures that it draws. Fails where flash or stack
# is more than it may be.
. "$(dirname "$0")/common.sh"
target=thumbv7em-none-eabihf

# check_limit NAME BYTES LIMIT
check_limit() {
    echo "$1: $2 of $3 bytes"
    [ "$2" -le "$3" ] || { echo "cortex-m4f: more $1 than it may take" >&2; exit 1; }
}

need_tools arm-none-eabi-gcc arm-none-eabi-size
need_std $target
export CARGO_PROFILE_BARE_METAL_OPT_LEVEL=z # flash matters more than time
library=$(bare_metal $target --features small)

# run EXAMPLE WORKSPACE FLASH STACK [linker options]: the example in a workspace of so many bytes, in at most so many of flash
# and stack; it prints what it prints on this machine.
run() {
    local example=$1 workspace=$2 flash=$3 stack=$4
    shift 4
    arm-none-eabi-gcc $freestanding -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16 -ffunction-sections -DBOARD \
        -DWORKSPACE="$workspace" "ffi/examples/$example.c" ffi/targets/cortex-m4f.c "$library" -nostdlib \
        -T ffi/targets/cortex-m4f.ld -Wl,--gc-sections "$@" -z noexecstack -lgcc -o "$out/cortex-m4f-$example.elf"
    check_limit flash "$(arm-none-eabi-size "$out/cortex-m4f-$example.elf" | awk 'END { print $1 + $2 }')" "$flash"
    qemu=${QEMU_SYSTEM_ARM:-qemu-system-arm}
    command -v "$qemu" >/dev/null || qemu=$(unpack_qemu_system) || skip "$qemu is not installed"
    timeout 600 "$qemu" -M mps2-an386 -cpu cortex-m4 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$out/cortex-m4f-$example.elf" 2>&1 |
        tee "$out/cortex-m4f-$example.txt"
    grep -v '^stack ' "$out/cortex-m4f-$example.txt" | cmp - "$(reference "$example")"
    check_limit stack "$(sed -n 's/^stack //p' "$out/cortex-m4f-$example.txt")" "$stack"
    echo "cortex-m4f: $example: same bits"
}

run freestanding $((96 * 1024)) $((160 * 1024)) $((60 * 1024)) -Wl,-u,aznas_aggregate
run select_on_device $((172 * 1024)) $((172 * 1024)) $((76 * 1024))
