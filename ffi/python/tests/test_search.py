"""Searches: the same ones again, in whatever order scores come in, and better than chance."""

import random

import aznas
import pytest
from aznas import abi


def digits(text: str) -> dict[str, float]:
    """Scores of a text that are quickly counted, of which many tie."""
    return {"threes": text.count("3x3"), "few": -text.count("none")}


def searched(count: int, shuffle: int | None = None, **settings: object) -> list[str]:
    search = aznas.Search("nb201", proxies=["threes", "few"], parents=8, **settings)  # type: ignore[arg-type]
    out: list[aznas.Candidate] = []
    order = random.Random(shuffle)
    while len(search) < count:
        while len(search) < count and (candidate := search.ask()):
            out.append(candidate)
        if shuffle is not None:
            order.shuffle(out)
        number, arch = out.pop()
        search.tell(number, digits(arch))
    for number, arch in out:
        search.tell(number, digits(arch))
    assert len(search.told) == count
    return [text for text, _ in search.told]


@pytest.mark.parametrize("workers", [1, 7])
def test_the_order_of_telling_changes_nothing(workers: int) -> None:
    expected = searched(150, workers=workers)
    assert searched(150, 1, workers=workers) == searched(150, 2, workers=workers) == expected
    assert searched(150, workers=workers, seed=5) != expected


def test_a_search_goes_on_where_another_ended() -> None:
    whole = searched(120)
    first = aznas.Search("nb201", proxies=["threes", "few"], parents=8)
    for arch in whole[:50]:
        candidate = first.ask()
        assert candidate is not None and candidate.arch == arch
        first.tell(candidate.number, digits(arch))
    second = aznas.Search("nb201", proxies=["threes", "few"], parents=8)
    for arch, scores in first.told:
        candidate = second.ask()
        assert candidate is not None
        second.tell(candidate.number, scores)
    following = second.ask()
    assert following is not None and following.arch == whole[50]


def test_it_finds_what_it_looks_for() -> None:
    found = searched(300)
    assert max(digits(text)["threes"] for text in found) == 6
    search = aznas.Search("nb201", proxies=["threes", "few"], parents=8)
    while len(search) < 300 and (candidate := search.ask()):
        search.tell(candidate.number, digits(candidate.arch))
    assert digits(search.best().arch) == {"threes": 6, "few": 0}


@pytest.mark.parametrize("space", [space for space in aznas.Space if space != aznas.Space.GRAPH])
def test_every_space_has_candidates_that_are_scored(space: aznas.Space) -> None:
    search = aznas.Search(space, proxies="complexity,depth")
    for _ in range(15):
        candidate = search.ask()
        assert candidate is not None
        search.tell(candidate.number, aznas.score(candidate.arch, space=space, proxies="complexity,depth"))
    assert aznas.cost(search.best().arch, space=space)["macs"] > 0


def test_settings_are_those_of_the_header() -> None:
    search = aznas.Search("mbv2", seed=9, warmup="samples", max_complexity=450e6)
    assert search.settings.keys() == abi.SearchSettings.__annotations__.keys()
    assert search.settings | {"seed": 9, "warmup": abi.Warmup.SAMPLES, "max_complexity": 450e6} == search.settings


@pytest.mark.parametrize("settings, error, field", [
    ({"workers": 0}, aznas.Error, "workers"), ({"parents": 0}, aznas.Error, "parents"),
    ({"max_proposals": 0}, aznas.Error, "max_proposals"), ({"max_complexity": -1.0}, aznas.Error, "max_complexity"),
    ({"max_complexity": float("nan")}, aznas.Error, "max_complexity"), ({"warmup": 9}, aznas.Error, "warmup"),
    ({"warmup": "none"}, aznas.Error, "warmup"), ({"seed": -1}, aznas.Error, "seed"), ({"seed": 1.5}, TypeError, "seed"),
    ({"iterations": 3}, TypeError, "iterations"), ({"space": "graph"}, aznas.Error, "space"),
])
def test_settings_that_cannot_work_are_refused(settings: dict[str, object], error: type[Exception], field: str) -> None:
    with pytest.raises(error, match=field):
        aznas.Search(**settings)  # type: ignore[arg-type]


def test_what_was_not_asked_for_is_refused() -> None:
    search = aznas.Search(proxies="depth", max_complexity=1.0, max_proposals=3)
    with pytest.raises(aznas.Error) as refused:
        search.ask()
    assert (refused.value.status, refused.value.needed) == (aznas.Status.NO_CANDIDATE, 3)
    search = aznas.Search(proxies="depth")
    with pytest.raises(aznas.Error, match="number"):
        search.tell(0, [1.0])
    candidate = search.ask()
    assert candidate is not None and search.ask() is None
    for scores in ([1.0, 2.0], [], {"trainability": 1.0}):
        with pytest.raises(aznas.Error, match="scores"):
            search.tell(0, scores)
    search.tell(0, [float("nan")])
    with pytest.raises(aznas.Error, match="number"):
        search.tell(0, [1.0])
