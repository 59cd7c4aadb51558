#!/usr/bin/env bash
# The search under MPI: the bytes of the search with threads, whatever is killed on the way. TRIALS kills, or 20.
set -euo pipefail
shopt -s extglob
cd "$(dirname "$0")/../.."

if ! command -v mpirun >/dev/null || ! command -v mpicc >/dev/null; then
    echo "SKIPPED: there is no MPI (libopenmpi-dev, openmpi-bin, libclang-dev)"
    exit 0
fi
# Containers have no user but root.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
cargo build --quiet --example search
cargo build --quiet --manifest-path examples/mpi/Cargo.toml
threads=${CARGO_TARGET_DIR:-target}/debug/examples/search
ranks=${CARGO_TARGET_DIR:-examples/mpi/target}/debug/search
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fail() { echo "FAILED: $*"; exit 1; }
under_mpi() { mpirun --oversubscribe -np 3 "$ranks" "$@"; }
same() { for file in history.csv best.json network.svg progress.svg; do cmp "$1/$file" "$2/$file"; done; }

cells="--channels 4 --cells 1 --batch 4 --resolution 8 --population 10 --iterations 300"
structures="--space mbv2 --batch 1 --resolution 32 --iterations 24 --population 8 --duplicates reuse"
for search in "$cells" "$structures"; do
    # shellcheck disable=SC2086
    "$threads" $search --threads 2 --out "$out/threads" >/dev/null 2>&1
    # shellcheck disable=SC2086
    under_mpi $search --out "$out/ranks" >/dev/null 2>&1
    same "$out/threads" "$out/ranks"
    rm -r "$out/ranks"
    [ "$search" = "$cells" ] && mv "$out/threads" "$out/whole"
done
echo "two workers under MPI write the bytes of two threads"

# Any rank is killed at any instant, between its start and a few candidates more: the job ends with an error, and goes on to
# the same bytes.
candidates() { grep -c . "$out/parts/history.csv" 2>/dev/null || true; }
killed=0
for trial in $(seq "${TRIALS:-20}"); do
    before=$(candidates)
    instant=$((${before:-0} + RANDOM % 30))
    under_mpi $cells --out "$out/parts" --resume >/dev/null 2>&1 &
    job=$!
    victim=
    while kill -0 $job 2>/dev/null; do
        victim=$(pgrep -P "$(pgrep -P $job -x mpirun || echo $job)" -x search | shuf -n 1 || true)
        now=$(candidates)
        [ -n "$victim" ] && [ "${now:-0}" -ge "$instant" ] && break
        sleep 0.01
    done
    # The job may have ended by itself, or just does.
    kill -9 ${victim:-$job} 2>/dev/null || true
    if wait $job; then
        rm -r "$out/parts"
    else
        killed=$((killed + 1))
    fi
done
under_mpi $cells --out "$out/parts" --resume >/dev/null 2>&1
same "$out/whole" "$out/parts"
[ "$killed" -gt 0 ] || fail "no rank was killed"
echo "killed $killed times, it ends with the same bytes"

message=$("$ranks" --iterations 5 2>&1) && fail "one process has no workers"
[[ $message == *"the workers are the ranks above 0"* ]] || fail "$message"
message=$(mpirun --oversubscribe -np 1 "$ranks" $cells --out "$out/mixed" : -np 2 "$ranks" $cells --out "$out/mixed" --seed 2 2>&1) &&
    fail "ranks with other options"
[[ $message == *"is not like rank 0: seed was 2 and is 1"* ]] || fail "$message"
[ ! -e "$out/mixed" ] || fail "nothing should be written"
# A worker of another version, and one that answers something else than scores.
mpicc -o "$out/impostor" examples/mpi/impostor.c
setting=$(sed -n 's/.*"setting": *"\([^"]*\)".*/\1/p' "$out/whole/best.json")
beside() { mpirun --oversubscribe -np 2 "$ranks" $cells --out "$out/beside" : -np 1 "$out/impostor" "$@" 2>&1; }
message=$(beside "${setting/version=*([! ])/version=0.0.9}" "") && fail "a worker of another version"
[[ $message == *"rank 2 is not like rank 0: version was 0.0.9 and is "* ]] || fail "$message"
[ ! -e "$out/beside" ] || fail "nothing should be written"
message=$(beside "$setting" "what is this") && fail "a worker without scores"
[[ $message == *"rank 2: what is this"* ]] || fail "$message"
echo "who is alone, not like the others, or answers something else, is refused"
