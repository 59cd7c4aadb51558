"""NSGA-II of pymoo over the cells of NAS-Bench-201: a proxy of accuracy against multiply-adds.

    python pymoo_front.py [POPULATION [GENERATIONS]]

The proxy of a generation is the aggregated rank of all that have been scored so far.
"""

import sys

import aznas
import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


def text(edges: np.ndarray) -> str:
    """The text of a cell, whose six edges are numbers of operations."""
    names = [OPERATIONS[number] for number in edges]
    return "|{}~0|+|{}~0|{}~1|+|{}~0|{}~1|{}~2|".format(*names)


class Cells(Problem):
    """Minimises multiply-adds and the negated rank of a cell among a sample of the space."""

    def __init__(self, sample: int) -> None:
        super().__init__(n_var=6, n_obj=2, xl=0, xu=len(OPERATIONS) - 1, vtype=int)
        rng = np.random.default_rng(1)
        self.known = {cell: aznas.score(cell, batch=8) for cell in map(text, rng.integers(0, 5, (sample, 6)))}
        self.sample = list(self.known.values())

    def _evaluate(self, x: np.ndarray, out: dict[str, np.ndarray], *_: object, **__: object) -> None:
        cells = [text(edges) for edges in x]
        for cell in set(cells) - self.known.keys():
            self.known[cell] = aznas.score(cell, batch=8)
        # Each against the same sample: what a cell is worth does not depend on when it comes up.
        ranks = [aznas.aggregate([*self.sample, self.known[cell]], mode="linear")[-1] for cell in cells]
        out["F"] = np.column_stack([[self.known[cell].macs / 1e6 for cell in cells], -np.array(ranks)])


def main() -> None:
    population, generations = (int(value) for value in (sys.argv[1:] + ["24", "10"][len(sys.argv) - 1:]))
    whole = {"vtype": float, "repair": RoundingRepair()}
    algorithm = NSGA2(population, sampling=IntegerRandomSampling(), crossover=SBX(**whole), mutation=PM(**whole))
    found = minimize(Cells(2 * population), algorithm, ("n_gen", generations), seed=1)
    print("multiply-adds [M]  rank (4 is best)  cell")
    for (macs, rank), edges in sorted(zip(found.F.tolist(), found.X)):
        print(f"{macs:17.1f}  {-rank:16.3f}  {text(edges)}")


if __name__ == "__main__":
    main()
