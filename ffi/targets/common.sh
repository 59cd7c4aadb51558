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

has_std() {
    [ -d "$(rustc --print target-libdir --target "$1" 2>/dev/null)" ]
}

# The compiler's own library for a target. Where rustup has none for it, Debian's compiler builds one from its source
# (packages rustc-web, cargo-web, rust-web-src), in target folders of its own.
need_std() {
    has_std "$1" && return
    local debian=${DEBIAN_RUST:-/usr}
    [ -x "$debian/bin/cargo" ] && [ -d "$debian/lib/rustlib/src/rust/library/core" ] ||
        skip "no core for $1: rustup target add $1, or apt-get install rustc-web cargo-web rust-web-src"
    export RUSTC=$debian/bin/rustc RUSTC_BOOTSTRAP=1
    cargo=$debian/bin/cargo
    build_std=-Zbuild-std=core
    out=target/targets/debian
    mkdir -p "$out"
    echo "$1: with $("$RUSTC" --version), which builds core"
}
cargo=cargo
build_std=

# bare_metal TARGET [cargo arguments]: the static library without std; prints where it is.
bare_metal() {
    local target=$1
    shift
    $cargo rustc $build_std --quiet --profile bare-metal -p aznas-ffi --lib --no-default-features --features panic-handler \
        --crate-type staticlib --target "$target" --target-dir "$out/cargo" "$@"
    echo "$out/cargo/$target/bare-metal/libaznas.a"
}

freestanding="-std=c11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-builtin -fno-stack-protector -ffp-contract=off -Iinclude"

# Without installing: unpacks qemu-system-arm and what it needs beside what is built, where apt could only install it by
# removing packages that other programs use. Prints where it is.
unpack_qemu_system() {
    local folder
    folder=$PWD/target/qemu
    if [ ! -x "$folder/qemu-system-arm" ]; then
        mkdir -p "$folder/packages"
        (
            cd "$folder/packages"
            apt-get install --simulate --no-install-recommends qemu-system-arm 2>/dev/null | awk '/^Inst/ { print $2 }' | sort -u |
                xargs -r apt-get download >/dev/null 2>&1
            for package in *.deb; do dpkg -x "$package" "$folder"; done
        ) || return
        [ -x "$folder/usr/bin/qemu-system-arm" ] || return
        printf '#!/bin/sh\nLD_LIBRARY_PATH=%s exec %s -L %s "$@"\n' \
            "$(printf '%s:' "$folder"/usr/lib/*-linux-gnu "$folder"/lib/*-linux-gnu)" \
            "$folder/usr/bin/qemu-system-arm" "$folder/usr/share/qemu" >"$folder/qemu-system-arm"
        chmod +x "$folder/qemu-system-arm"
    fi
    echo "$folder/qemu-system-arm"
}

# reference [EXAMPLE]: what the freestanding example prints on this machine: the same everywhere, for the scalar back end is.
reference() {
    local example=${1:-freestanding}
    # Where the tests of the library build it as well.
    env -u RUSTC -u RUSTC_BOOTSTRAP cargo build --quiet --release -p aznas-ffi --target-dir target
    cc -std=c11 -O2 -DHOSTED -Iinclude "ffi/examples/$example.c" target/release/libaznas.a -lpthread -ldl -lm \
        -o "$out/$example-reference"
    "$out/$example-reference" >"$out/$example-reference.txt"
    echo "$out/$example-reference.txt"
}
