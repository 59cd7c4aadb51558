"""Types as checkers see them: what is meant is taken, and what is not is found before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = '''
import aznas
import numpy as np

cell = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
scores: aznas.Scores = aznas.score(cell, batch=8, backend="avx2", sigma=aznas.Sigma.HALF_SPLIT, proxies=["depth"])
depth: int = scores.depth
known: dict[str, float] = scores.proxies()
table: aznas.Table = aznas.score_many([cell], threads=2, space="nb201", keep_going=True, cells=None)
ranks = aznas.aggregate(table, proxies="extended", mode="linear")
node = aznas.Node("convolution", 0, channels=16, kernel=(3, 3), bias=True)
network = aznas.Network([[node]], height=8, width=8)
tensors: aznas.Tensors = {("weight", 0, 1): np.ones((16, 3, 3, 3), np.float32)}

aznas.score(cell, bacth=8)  # type: ignore[call-arg]
aznas.score(cell, batch="8")  # type: ignore[arg-type]
aznas.score(cell, backend="avx3")  # type: ignore[arg-type]
aznas.score(cell, space="nb102")  # type: ignore[arg-type]
aznas.score(3)  # type: ignore[arg-type]
aznas.Node("convolutions", 0)  # type: ignore[arg-type]
aznas.Node("convolution", 0, chanels=3)  # type: ignore[call-arg]
aznas.aggregate(table, mode="product")  # type: ignore[arg-type]
'''


def test_mistakes_are_found_and_nothing_else(tmp_path: Path) -> None:
    pytest.importorskip("mypy")
    (tmp_path / "use.py").write_text(CODE)
    # An expectation that is not met is an error too: `--strict` warns of those.
    command = [sys.executable, "-m", "mypy", "--strict", "use.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
