"""The examples run where what they show is installed, on less than they do by themselves."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SMALLER = {"optuna_study": ("optuna", ["6"]), "pymoo_front": ("pymoo", ["6", "2"]), "ray_cells": ("ray", ["30"])}


@pytest.mark.parametrize("name", SMALLER)
def test_an_example_runs(name: str) -> None:
    module, arguments = SMALLER[name]
    pytest.importorskip(module)
    command = [sys.executable, EXAMPLES / f"{name}.py", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Each ends with cells, the best ones.
    assert "|" in done.stdout.splitlines()[-1]


def test_examples_are_short_and_all_of_them_run() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == SMALLER.keys()
    for path in EXAMPLES.glob("*.py"):
        assert len(path.read_text().splitlines()) < 60, path
