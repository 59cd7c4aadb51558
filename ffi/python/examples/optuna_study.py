"""An Optuna study over the cells of NAS-Bench-201: expressivity and trainability up, multiply-adds down.

    python optuna_study.py [TRIALS]

Proxies are no accuracies, and mean something by their ranks alone: the study keeps the best compromises, and `aggregate`
ranks these at the end.
"""

import math
import sys

import aznas
import optuna

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]


def cell(trial: optuna.Trial) -> str:
    """The text of a cell: an operation for each of its six edges, by the node that they lead to."""
    edges = {node: [f"{trial.suggest_categorical(f'{reads}-{node}', OPERATIONS)}~{reads}" for reads in range(node)]
             for node in (1, 2, 3)}
    return "+".join(f"|{'|'.join(edges[node])}|" for node in edges)


def objective(trial: optuna.Trial) -> tuple[float, float, float]:
    """Scores a cell. What is undefined, and so minus infinity, becomes a number that is worse than any."""
    text = cell(trial)
    scores = aznas.score(text, batch=8)
    trial.set_user_attr("cell", text)
    trial.set_user_attr("scores", scores.proxies())
    return tuple(value if math.isfinite(value) else -1e9 for value in (scores.expressivity, scores.trainability)) + (
        scores.macs / 1e6,)


def main() -> None:
    trials = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    study = optuna.create_study(directions=["maximize", "maximize", "minimize"],
                                sampler=optuna.samplers.TPESampler(seed=1))
    # Trials of several threads run side by side: the interpreter's lock is free while a cell is scored.
    study.optimize(objective, n_trials=trials, n_jobs=2)
    found = [trial.user_attrs for trial in study.best_trials]
    names = ["expressivity", "progressivity", "trainability"]
    ranks = aznas.aggregate({name: [each["scores"][name] for each in found] for name in names}, proxies=names)
    print(f"{len(found)} compromises of {trials} trials; the best of them by rank:")
    for place in ranks.argsort()[::-1][:5]:
        print(f"{found[place]['scores']['flops'] / 1e6:8.1f} M multiply-adds  {found[place]['cell']}")


if __name__ == "__main__":
    main()
