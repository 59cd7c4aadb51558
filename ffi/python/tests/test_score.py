"""Scores: the bits of the library's own program, whatever the way they are asked for."""

import json
import pickle
import subprocess
from pathlib import Path

import aznas
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
MODELS = ROOT / "models" / "tests" / "onnx"
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
#: Small networks of all spaces.
TEXTS = {
    "nb201": CELL,
    "mbv2": "SuperConvK3BNRELU(3,8,2,1)SuperResIDWE6K3(8,32,2,8,1)SuperConvK1BNRELU(32,128,1,1)",
    "autoformer": "autoformer(embed=192,heads=3-3,ratio=4-3.5)",
    "nb101": "7:101010101100001000001:333mm",
    "nds": "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('skip_connect', 0), ('sep_conv_3x3', 1),"
           " ('skip_connect', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2)],"
           " normal_concat=[2, 3, 4, 5], reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2),"
           " ('max_pool_3x3', 0), ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 0)],"
           " reduce_concat=[2, 3, 4, 5], width=8, depth=4)",
}
#: A network of nodes whose first convolution has a bias.
NETWORK = aznas.Network(
    [[aznas.Node("convolution", 0, channels=8, kernel=3, padding=1, bias=True), aznas.Node("batch_norm", 1)],
     [aznas.Node("relu"), aznas.Node("convolution", 1, channels=8), aznas.Node("add", [0, 2])]],
    head=[aznas.Node("global_pool"), aznas.Node("linear", 1, channels=10)],
    name="two", height=16, width=16)


def program() -> Path:
    """The program `score`, as it was built last."""
    built = [path for path in ROOT.glob("target/*/examples/score") if path.exists()]
    if not built:
        pytest.skip("the program is not built: cargo build --release --example score")
    return max(built, key=lambda path: path.stat().st_mtime)


@pytest.mark.parametrize("space", TEXTS)
def test_bits_are_those_of_the_program(space: str) -> None:
    side = 64 if space in {"mbv2", "autoformer"} else 32
    command = [program(), "--space", space, "--batch", "4", "--resolution", str(side), "--proxies", "all", "--seed", "7",
               "--format", "json", "-"]
    answer = json.loads(subprocess.run(command, input=TEXTS[space], stdout=subprocess.PIPE, check=True, text=True).stdout)
    scores = aznas.score(TEXTS[space], space=space, batch=4, height=side, width=side, proxies="all", seed=7)
    known = {name.replace("-", "_"): value for name, value in answer.items()}
    compared = [name for name in aznas.PROXY_NAMES if name in known]
    assert len(compared) >= 20
    for name in compared:
        value = -np.inf if known[name] is None else known[name]
        assert scores[name] == value, name


def test_every_space_is_here() -> None:
    assert set(TEXTS) | {"graph"} == {space.name.lower() for space in aznas.Space}


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_rows_have_the_bits_and_the_order_of_single_scores(threads: int) -> None:
    operations = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
    cells = [f"|{a}~0|+|{b}~0|nor_conv_1x1~1|+|skip_connect~0|none~1|{a}~2|" for a in operations for b in operations]
    archs = [*cells, NETWORK]
    table = aznas.score_many(archs, threads=threads, batch=2, cells=1)
    assert list(table["arch"]) == [str(arch) for arch in archs]
    assert table["scored"].all()
    for arch, row in zip(archs, table):
        scores = aznas.score(arch, batch=2, cells=1)
        assert {name: row[name] for name in aznas.PROXY_NAMES} == {name: scores[name] for name in aznas.PROXY_NAMES}
        assert (row["macs"], row["flags"], row["measured"]) == (scores.macs, scores.flags, scores.measured)


def test_many_of_none_is_an_empty_table() -> None:
    table = aznas.score_many([])
    assert table.size == 0 and table.proxies() == []


def test_the_lock_is_free_while_the_library_runs() -> None:
    from ctypes import CDLL, PyDLL

    from aznas.library import LIBRARY

    # What ctypes promises of the one and not of the other.
    assert isinstance(LIBRARY, CDLL) and not isinstance(LIBRARY, PyDLL)


def test_blocks_are_those_of_every_repeat() -> None:
    scores = aznas.score(NETWORK, batch=4, repeats=3)
    assert list(scores.blocks["block"]) == [0, 1] * 3
    assert list(scores.blocks["repeat"]) == [0, 0, 1, 1, 2, 2]
    assert scores.block_count == 2
    assert scores.expressivity == pytest.approx(scores.blocks["expressivity"].sum() / 3)


def test_costs_are_those_of_scores() -> None:
    costs, scores = aznas.cost(NETWORK), aznas.score(NETWORK, batch=2)
    for name in ("macs", "live_macs", "parameters", "live_parameters", "live_layers", "depth", "complexity"):
        assert costs[name] == getattr(scores, name), name


def test_a_network_of_a_text_is_the_network() -> None:
    text = json.dumps({
        "name": "two", "input": [3, 16, 16],
        "blocks": [[{"op": "convolution", "inputs": [0], "channels": 8, "kernel": [3, 3], "padding": [1, 1], "bias": True},
                    {"op": "batch_norm", "inputs": [1], "epsilon": 1e-5}],
                   [{"op": "relu", "inputs": [0]}, {"op": "convolution", "inputs": [1], "channels": 8, "kernel": [1, 1]},
                    {"op": "add", "inputs": [0, 2]}]],
        "head": [{"op": "global_pool", "inputs": [0]}, {"op": "linear", "inputs": [1], "channels": 10}]})
    assert aznas.score(aznas.Network.from_json(text), batch=2) == aznas.score(NETWORK, batch=2)
    command = [program(), "--space", "graph", "--batch", "2", "--format", "json", "-"]
    answer = json.loads(subprocess.run(command, input=text, stdout=subprocess.PIPE, check=True, text=True).stdout)
    assert aznas.score(NETWORK, batch=2).expressivity == answer["expressivity"]


def test_a_network_of_an_onnx_file_is_the_network(tmp_path: Path) -> None:
    for name in ("residual", "vit", "by_hand"):
        path = MODELS / f"{name}.onnx"
        network = aznas.Network.from_onnx(path)
        command = [program(), "--space", "onnx", "--batch", "2", "--format", "json", str(path)]
        answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
        scores = aznas.score(network, batch=2)
        assert str(network) == name
        assert scores.expressivity == answer["expressivity"] and scores.trainability == answer["trainability"]
        assert aznas.score(aznas.Network.from_onnx(path.read_bytes()), batch=2) == scores
        assert aznas.score(pickle.loads(pickle.dumps(network)), batch=2) == scores


def test_an_onnx_file_that_is_not_understood_is_refused_by_its_operator() -> None:
    with pytest.raises(aznas.Error, match=r"\(Sin\): "):
        aznas.Network.from_onnx(MODELS / "sine.onnx")
    with pytest.raises(aznas.Error, match="no ONNX model"):
        aznas.Network.from_onnx(b"no model")
    with pytest.warns(UserWarning, match="folded"):
        aznas.Network.from_onnx(MODELS / "plain.onnx")


def test_results_travel_between_processes() -> None:
    scores, network = (pickle.loads(pickle.dumps(value)) for value in (aznas.score(CELL, batch=2, cells=1), NETWORK))
    assert scores == aznas.score(CELL, batch=2, cells=1)
    assert aznas.score(network, batch=2) == aznas.score(NETWORK, batch=2)
    table = aznas.score_many([CELL, NETWORK], batch=2, cells=1)
    assert (pickle.loads(pickle.dumps(table)) == table).all()


def test_neutral_tensors_change_nothing_and_others_do() -> None:
    ones, zeros = np.ones(8, np.float32), np.zeros(8, np.float32)
    plain = aznas.score(NETWORK, batch=2)
    assert aznas.score(NETWORK, batch=2, tensors={("gain", 0, 2): ones, ("shift", 0, 2): zeros}) == plain
    weights = np.linspace(-1, 1, 8 * 3 * 3 * 3, dtype=np.float32).reshape(8, 3, 3, 3)
    tensors: aznas.Tensors = {("bias", 0, 1): ones, ("weight", 0, 1): weights}
    given = aznas.score(NETWORK, batch=2, tensors=tensors)
    assert given.expressivity != plain.expressivity
    assert aznas.score_many([NETWORK] * 3, batch=2, tensors=tensors)["expressivity"].tolist() == [given.expressivity] * 3
