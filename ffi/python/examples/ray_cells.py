"""1000 cells of NAS-Bench-201 as Ray tasks, on one machine or on a cluster.

    python ray_cells.py [CELLS]

A score is a function of its arguments, so it does not matter where a cell is scored, if all machines have one version and
one instruction set, which is why `backend` is named.
"""

import sys

import aznas
import numpy as np
import ray

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
#: Cells of a task: some seconds of work, beside which sending it costs nothing.
PIECE = 25


def random_cells(count: int, seed: int) -> list[str]:
    """Cells of which no two are the same."""
    rng, cells = np.random.default_rng(seed), dict[str, None]()
    while len(cells) < count:
        names = rng.choice(OPERATIONS, 6)
        cells["|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*names)] = None
    return list(cells)


@ray.remote(num_cpus=1)
def scored(cells: list[str], backend: str) -> np.ndarray:
    """The rows of a piece. Ray gives a task one processor, so it takes one thread."""
    return np.asarray(aznas.score_many(cells, threads=1, backend=backend, batch=8))


def main() -> None:
    cells = random_cells(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, seed=1)
    backend = aznas.backend_name()
    ray.init(logging_level="ERROR", log_to_driver=False)
    tasks = [scored.remote(cells[start:start + PIECE], backend) for start in range(0, len(cells), PIECE)]
    table = np.concatenate(ray.get(tasks)).view(aznas.Table)
    ranks = aznas.aggregate(table)
    print(f"{table.size} cells on {int(ray.cluster_resources()['CPU'])} processors with {backend}; the best:")
    for row in table[ranks.argsort()[::-1][:5]]:
        print(f"{row['macs'] / 1e6:8.1f} M multiply-adds  {row['arch']}")


if __name__ == "__main__":
    main()
