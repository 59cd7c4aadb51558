#!/usr/bin/env bash
# WebAssembly: the module scores the cell of the freestanding example under node.
. "$(dirname "$0")/common.sh"
target=wasm32-unknown-unknown
need_tools node
need_std $target
if [ -n "$build_std" ]; then # Debian's compiler comes without a linker for this target
    need_tools wasm-ld
    export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld
fi

module() {
    RUSTFLAGS="-Clink-arg=--export=__heap_base $2" $cargo rustc $build_std --quiet --profile bare-metal -p aznas-ffi --lib \
        --no-default-features --features panic-handler --crate-type cdylib --target $target --target-dir "$out/$1"
    ls -l "$out/$1/$target/bare-metal/aznas.wasm" >&2
    echo "$out/$1/$target/bare-metal/aznas.wasm"
}

plain=$(module wasm32 "")
node ffi/targets/wasm32.mjs "$plain" | tee "$out/wasm32.txt"
cmp "$out/wasm32.txt" "$(reference)"
echo "wasm32: same bits"

vectors=$(module wasm32-simd128 -Ctarget-feature=+simd128)
node ffi/targets/wasm32.mjs "$vectors" | cmp - "$(reference)"
node ffi/targets/wasm32.mjs "$vectors" 5 "$(reference)"
echo "wasm32 with vectors: same bits on the scalar back end, close on its own"
