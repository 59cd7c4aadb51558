#!/usr/bin/env bash
# Every target, one after the other; those that cannot be built or run here say so. Arguments go to `cargo test` on AArch64; without any,
# the tests run that are quick enough to emulate.
set -euo pipefail
for target in riscv64 cortex-m4f wasm32 aarch64; do
    echo "== $target"
    "$(dirname "$0")/$target.sh" "$@"
done
