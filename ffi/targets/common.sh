# What the scripts share. A target that this machine cannot build or run is skipped, aloud.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=target/targets
mkdir -p "$out"

skip() {
    echo "SKIPPED $(basename "$0" .sh): $*"
    exit 0
}

need_tools() {
    for tool; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done
}

need_std() {
    [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ] || skip "no core for $1: rustup target add $1"
}

# bare_metal TARGET [cargo arguments]: the static library without std; prints where it is.
bare_metal() {
    local target=$1
    shift
    cargo rustc --quiet --profile bare-metal -p aznas-ffi --lib --no-default-features --features panic-handler \
        --crate-type staticlib --target "$target" --target-dir "$out/cargo" "$@"
    echo "$out/cargo/$target/bare-metal/libaznas.a"
}

freestanding="-std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -ffp-contract=off -Iinclude"

# What the freestanding example prints on this machine: the same everywhere, for the scalar back end is.
reference() {
    cargo build --quiet --release -p aznas-ffi --target-dir "$out/cargo"
    cc -std=c11 -O2 -DHOSTED -Iinclude ffi/examples/freestanding.c "$out/cargo/release/libaznas.a" -lpthread -ldl -lm \
        -o "$out/reference"
    "$out/reference" >"$out/reference.txt"
    echo "$out/reference.txt"
}
