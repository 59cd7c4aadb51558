#!/usr/bin/env bash
# Builds the program `score` and times it against PyTorch: see versus_torch.py, which gets all arguments.
#
#   benches/versus_torch.sh [--help] [--spaces nb201,mbv2] [--batches 64,8] [--turns N] [--bfloat16] [--check | --whole [PROXIES...]]
#
# PYTHON names the interpreter that has PyTorch (default: python3). The processor's wheel is enough:
#   pip install torch numpy --index-url https://download.pytorch.org/whl/cpu
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

if ! "$python" -c 'import torch, numpy' 2>/dev/null; then
    case " $* " in
        *" -h "* | *" --help "*) ;;
        *)
            echo "versus_torch: $python has no PyTorch (set PYTHON to one that has), or:" >&2
            echo "    $python -m pip install torch numpy --index-url https://download.pytorch.org/whl/cpu" >&2
            exit 1
            ;;
    esac
else
    cargo build --quiet --release --example score
fi
# One thread, whatever the library that torch was built with.
export OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
exec "$python" benches/versus_torch.py --score target/release/examples/score "$@"
