"""Aggregation, against its formula."""

import aznas
import numpy as np
import pytest

OPERATIONS = ["skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
CELLS = [f"|{a}~0|+|{b}~0|nor_conv_1x1~1|+|skip_connect~0|none~1|{a}~2|" for a in OPERATIONS for b in OPERATIONS]


@pytest.fixture(scope="module")
def table() -> aznas.Table:
    return aznas.score_many(CELLS, batch=2, cells=1, proxies="extended")


def ranks(column: np.ndarray) -> np.ndarray:
    """1 for the worst, the mean for ties."""
    return np.array([(column < value).sum() + ((column == value).sum() + 1) / 2 for value in column])


@pytest.mark.parametrize("mode", aznas.Mode)
@pytest.mark.parametrize("proxies", ["expressivity", "paper", "extended", ["trainability", "depth"]])
def test_scores_are_those_of_the_formula(table: aznas.Table, mode: aznas.Mode, proxies: str | list[str]) -> None:
    scores = [aznas.score(cell, batch=2, cells=1, proxies="extended") for cell in CELLS]
    names = {"paper": ["expressivity", "progressivity", "trainability", "complexity"],
             "extended": ["expressivity", "trainability", "complexity", "mean_progressivity", "depth"]}
    columns = names.get(str(proxies), [proxies] if isinstance(proxies, str) else proxies)
    weights = {columns[0]: 2.5}
    shares = np.array([ranks(table[name]) / len(table) * 1.0 for name in columns])
    expected = sum(weights.get(name, 1.0) * (np.log(share) if mode == aznas.Mode.LOG else share)
                   for name, share in zip(columns, shares))
    for candidates in (table, {name: table[name] for name in columns}, scores):
        found = aznas.aggregate(candidates, proxies=proxies, weights=weights, mode=mode)
        assert found == pytest.approx(expected, rel=1e-12)


def test_columns_of_ones_own_are_ranked(table: aznas.Table) -> None:
    latency = np.arange(len(table))
    found = aznas.aggregate({"depth": table["depth"], "speed": -latency}, proxies=["speed"])
    assert found.argmax() == 0
    assert list(found) == sorted(found, reverse=True)


@pytest.mark.parametrize("column, error", [
    (np.array(["a", "b"]), TypeError), (np.array([1j, 2]), TypeError), (np.array([None, 1]), TypeError),
    (np.array([True, False]), TypeError), (np.ones((2, 2)), aznas.Error), (np.float64(3), aznas.Error),
    (np.ones(3), aznas.Error), (np.ones(0), aznas.Error),
])
def test_columns_of_another_type_or_shape_are_refused_by_name(column: np.ndarray, error: type[Exception]) -> None:
    with pytest.raises(error, match="depth"):
        aznas.aggregate({"expressivity": np.ones(2), "depth": column}, proxies=["expressivity", "depth"])


def test_tables_without_what_is_asked_for_are_refused(table: aznas.Table) -> None:
    for candidates in (np.ones((3, 4)), np.ones(3), []):
        with pytest.raises((TypeError, aznas.Error)):
            aznas.aggregate(candidates)
    with pytest.raises(aznas.Error, match="column depth"):
        aznas.aggregate({"expressivity": np.ones(2)}, proxies="depth")
    with pytest.raises(aznas.Error, match="name"):
        aznas.aggregate(table, proxies="nothing")
    depths = aznas.score_many(CELLS[:2], batch=2, cells=1, proxies="depth")
    for candidates in (depths, [aznas.score(cell, batch=2, cells=1, proxies="depth") for cell in CELLS[:2]]):
        with pytest.raises(aznas.Error, match="trainability must be measured"):
            aznas.aggregate(candidates, proxies="depth,trainability")
    with pytest.raises(aznas.Error, match="weights"):
        aznas.aggregate(table, proxies="depth", weights={"depht": 2})


def test_every_order_of_memory_has_the_same_ranks(table: aznas.Table) -> None:
    column = table["expressivity"]
    expected = aznas.aggregate({"expressivity": np.array(column)}, proxies="expressivity")
    wide = np.asfortranarray(np.stack([column, column], axis=1))
    for other in (column, wide[:, 1], np.array(column)[::-1][::-1], column.astype(">f8")):
        assert (aznas.aggregate({"expressivity": other}, proxies="expressivity") == expected).all()
