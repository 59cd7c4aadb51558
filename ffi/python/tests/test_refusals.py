"""What cannot be scored, and Ctrl-C: the place is named, and nothing that was done is lost."""

import os
import pickle
import signal
import threading

import aznas
import numpy as np
import pytest

CELL = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"
BAD = "|none~0|+|none~0|none~1|+|nor_conv_9x9~0|none~1|none~2|"


def network(**node: int) -> aznas.Network:
    fields = {"channels": 8, "kernel": 3, "padding": 1, **node}
    return aznas.Network([[aznas.Node("convolution", 0, **fields)], [aznas.Node("relu"), aznas.Node("convolution", 1, channels=8)]],
                         height=8, width=8)


def test_texts_are_refused_with_their_column() -> None:
    with pytest.raises(aznas.Error) as refused:
        aznas.score(BAD)
    error = refused.value
    assert (error.status, error.column) == (aznas.Status.PARSE, BAD.index("nor_conv_9x9") + 1)
    assert "column" in str(error)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.column == error.column


def test_nodes_are_refused_with_their_place() -> None:
    with pytest.raises(aznas.Error) as refused:
        aznas.score(network(groups=2))
    error = refused.value
    assert (error.status, error.block, error.node, error.field) == (aznas.Status.NODE, 0, 1, "groups")


@pytest.mark.parametrize("arch", [None, 3, b"text", ["text"], np.array(["text"])])
def test_only_texts_and_networks_are_scored(arch: object) -> None:
    with pytest.raises(TypeError, match=type(arch).__name__):
        aznas.score(arch)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=type(arch).__name__):
        aznas.score_many([CELL, arch])  # type: ignore[list-item]


def test_a_text_with_zeros_and_other_letters_is_refused() -> None:
    for text in ("", "\0", CELL + "\0", "|naïve~0|", "\ud800"):
        with pytest.raises((aznas.Error, UnicodeEncodeError)):
            aznas.score(text)


GOOD = np.ones((8, 3, 3, 3), np.float32)
WRONG = {
    "type": (GOOD.astype(np.float64), TypeError, "float32, not of float64"),
    "integers": (GOOD.astype(np.int32), TypeError, "float32, not of int32"),
    "bytes in another order": (GOOD.astype(">f4"), TypeError, "float32"),
    "list": (GOOD.tolist(), TypeError, "numpy array of float32, not list"),
    "axes": (GOOD.reshape(8, 27, 1), aznas.Error, r"axes, not of shape \(8, 27, 1\)"),
    "order": (np.asfortranarray(GOOD), aznas.Error, "C order"),
    "strides": (np.ones((8, 3, 3, 6), np.float32)[..., ::2], aznas.Error, "C order"),
    "length": (np.ones((8, 3, 3, 4), np.float32), aznas.Error, r"needed: 216, given: 288"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_arrays_of_another_type_shape_or_order_are_refused(kind: str) -> None:
    array, error, text = WRONG[kind]
    for score in (aznas.score, lambda arch, **given: aznas.score_many([arch], **given)):
        with pytest.raises(error, match=text):
            score(network(), batch=2, tensors={("weight", 0, 1): array})


@pytest.mark.parametrize("key", [("wight", 0, 1), ("weight", -1, 1), ("weight", 0, 1 << 32), (99, 0, 1)])
def test_tensors_of_unknown_places_are_refused(key: tuple[str, int, int]) -> None:
    with pytest.raises(aznas.Error):
        aznas.score(network(), batch=2, tensors={key: np.ones(1, np.float32)})  # type: ignore[dict-item]


def test_a_refusal_among_many_keeps_what_was_done() -> None:
    cells = [CELL] * 4 + [BAD] + [CELL] * 4
    with pytest.raises(aznas.Error) as refused:
        aznas.score_many(cells, threads=1, batch=2, cells=1)
    error = refused.value
    assert error.index == 4 and error.table is not None and BAD in "".join(error.__notes__)
    assert error.table["scored"].tolist() == [True] * 4 + [False] * 5
    table = aznas.score_many(cells, threads=2, keep_going=True, batch=2, cells=1)
    assert table["scored"].tolist() == [cell == CELL for cell in cells]
    assert table["status"][4] == aznas.Status.PARSE
    assert table["expressivity"][4] == -np.inf and table["expressivity"][5] == table["expressivity"][0]


def test_options_are_refused_before_any_work() -> None:
    with pytest.raises(aznas.Error, match="batch"):
        aznas.score_many([CELL], batch=-1)
    with pytest.raises(aznas.Error, match="threads"):
        aznas.score_many([CELL], threads=0)


class Ringing(aznas.Network):
    """Presses Ctrl-C while it is made ready, and goes on when that has arrived."""

    arrived = threading.Event()

    def fill(self, arch: object) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert self.arrived.wait(60)
        super().fill(arch)  # type: ignore[arg-type]


@pytest.mark.parametrize("threads", [1, 3])
def test_an_interrupt_stops_soon_and_keeps_what_is_done(threads: int) -> None:
    def handler(*_: object) -> None:
        Ringing.arrived.set()
        raise KeyboardInterrupt

    usual = signal.signal(signal.SIGINT, handler)
    Ringing.arrived.clear()
    small = network()
    archs = [small] * 20 + [Ringing(small.blocks, **small.options)] + [small] * 20000
    try:
        with pytest.raises(aznas.Interrupted) as interrupted:
            aznas.score_many(archs, threads=threads, batch=2)
    finally:
        signal.signal(signal.SIGINT, usual)
    assert isinstance(interrupted.value, KeyboardInterrupt)
    table = interrupted.value.table
    # Those before it, itself, and no more than are scored until the interrupt is heard.
    assert table["scored"][:21].all() and not table["scored"].all()
    assert (table["expressivity"][table["scored"]] == aznas.score(small, batch=2).expressivity).all()
    assert (table["expressivity"][~table["scored"]] == -np.inf).all()
