"""Options are the fields of the C structs: names, defaults and ranges."""

import inspect

import aznas
import pytest
from aznas import abi
from aznas.options import default_options

CELL = "|none~0|+|none~0|none~1|+|nor_conv_1x1~0|none~1|none~2|"


def own_default(name: str) -> object:
    return inspect.signature(aznas.score).parameters[name].default


@pytest.mark.parametrize("name", abi.OPTIONS)
def test_defaults_are_those_of_the_library(name: str) -> None:
    plain = aznas.score(CELL, batch=2, cells=1)
    default = own_default(name)
    others = {key: value for key, value in {"batch": 2, "cells": 1}.items() if key != name}
    if name in others or name in ("batch", "cells"):
        return
    assert aznas.score(CELL, **others, **{name: None}) == plain
    assert aznas.score(CELL, **others, **{name: default}) == plain


@pytest.mark.parametrize("name", abi.OPTIONS)
def test_the_help_explains_every_option(name: str) -> None:
    for function in (aznas.score, aznas.score_many, aznas.cost):
        assert name in inspect.signature(function).parameters
        assert f"    {name}: " in (function.__doc__ or "")
    # Type checkers read them from here.
    assert name in abi.Options.__annotations__


def test_every_field_of_the_options_is_an_option() -> None:
    hidden = {"struct_size", "source", "reserved"}
    assert {field[0] for field in abi.aznas_options._fields_} - hidden <= abi.OPTIONS.keys()
    assert default_options().batch == own_default("batch") == 64


@pytest.mark.parametrize("name", [name for name, (_, choice, _) in abi.OPTIONS.items() if choice is None])
@pytest.mark.parametrize("value", [-1, 1 << 64, 1 << 32])
def test_numbers_that_do_not_fit_are_refused_by_name(name: str, value: int) -> None:
    if value == 1 << 32 and name in {"batch", "height", "width", "seed"}:
        return  # fields of 64 bits
    with pytest.raises(aznas.Error) as refused:
        aznas.cost(CELL, **{name: value})
    assert refused.value.field == name and str(value) in str(refused.value)


@pytest.mark.parametrize("name", abi.OPTIONS)
def test_other_types_are_refused_by_name(name: str) -> None:
    for value in (1.5, {}.keys, b"3"):
        if name == "proxies" and not isinstance(value, float):
            continue  # things to go through, whose names there are not
        with pytest.raises(TypeError, match=name):
            aznas.cost(CELL, **{name: value})


@pytest.mark.parametrize("name", [name for name, (_, choice, _) in abi.OPTIONS.items() if choice not in (None, abi.Proxy)])
def test_choices_are_members_names_or_numbers(name: str) -> None:
    choice = abi.OPTIONS[name][1]
    assert choice is not None
    for member in choice:
        if name == "backend":
            continue  # not all are available
        for value in (member, member.name.lower(), int(member)):
            # Counting reads the fields of a network alone, whatever they are.
            assert aznas.cost(CELL, **{name: value})["blocks"] > 0
    with pytest.raises(aznas.Error, match=name) as refused:
        aznas.cost(CELL, **{name: "nothing"})
    assert "nothing" in str(refused.value) and next(iter(choice)).name.lower() in str(refused.value)


def test_unknown_options_are_refused_with_what_was_meant() -> None:
    with pytest.raises(TypeError, match="did you mean 'batch'"):
        aznas.score(CELL, bacth=2)  # type: ignore[call-arg]


@pytest.mark.parametrize("proxies", ["depth,grad_norm", "depth,grad-norm", ["depth", "grad_norm"], 32 | 1024,
                                     aznas.Proxy.DEPTH | aznas.Proxy.GRAD_NORM])
def test_sets_of_proxies_have_names(proxies: object) -> None:
    scores = aznas.score(CELL, batch=2, cells=1, proxies=proxies)  # type: ignore[arg-type]
    assert {"depth", "grad_norm"} <= scores.proxies().keys()
    assert "expressivity" not in scores.proxies()
    assert list(scores.values("depth,grad_norm")) == [scores["depth"], scores["grad_norm"]]


def test_every_proxy_has_a_bit_and_a_name() -> None:
    assert [proxy.name.lower() for proxy in aznas.Proxy if proxy.name] == list(aznas.PROXY_NAMES)
