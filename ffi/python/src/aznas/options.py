"""Keyword arguments that are the fields of the C structs, with the same names, numbers and defaults."""

import difflib
import inspect
import operator
from collections.abc import Callable, Iterable
from ctypes import Structure, byref, sizeof
from enum import IntEnum
from typing import Any, TypeVar

from . import abi
from .error import invalid
from .library import LIBRARY, proxy_bits, require

_Function = TypeVar("_Function", bound=Callable[..., Any])


def default_options() -> abi.aznas_options:
    """The paper's setting."""
    options = abi.aznas_options()
    require(LIBRARY.aznas_options_init(byref(options), sizeof(options)))
    return options


def default_arch(space: int) -> abi.aznas_arch:
    """The network of a space's benchmark."""
    arch = abi.aznas_arch()
    if not 0 <= space < 1 << 32:
        raise invalid("space", "one of Space")
    status = LIBRARY.aznas_arch_init(byref(arch), sizeof(arch), space)
    if status != abi.Status.OK:
        raise invalid("space", "one of Space")
    return arch


def member(name: str, value: object, choice: type[IntEnum]) -> int:
    """The number of a member of an enum, which may be given by its name in lower case."""
    if not isinstance(value, str):
        return integer(name, value)
    names = {member.name.lower(): member.value for member in choice}
    if value not in names:
        raise invalid(name, "one of " + ", ".join(names) + f", not {value!r}")
    return names[value]


def integer(name: str, value: object) -> int:
    """A whole number; no number is cut to one."""
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None


def proxy_set(value: object) -> int:
    """The bits of a set of proxies: a text such as "extended" or "expressivity,depth", or names, or the bits."""
    if isinstance(value, str):
        return proxy_bits(value)
    if isinstance(value, Iterable) and not isinstance(value, int):  # bits are a number, even those of an enum
        return proxy_bits(",".join(str(name) for name in value))
    return integer("proxies", value)


def assign(struct: Structure, name: str, value: object) -> None:
    """Sets a field to a number or to an array of numbers, all of which must fit it as they are."""
    kind: Any = dict((field[0], field[1]) for field in struct._fields_)[name]
    length = getattr(kind, "_length_", None)
    if length is None:
        setattr(struct, name, _number(name, value, kind))
        return
    values = list(value) if isinstance(value, Iterable) else [value] * length
    if len(values) != length:
        raise invalid(name, f"one number, or {length}")
    setattr(struct, name, kind(*(_number(name, each, kind._type_) for each in values)))


def _number(name: str, value: object, kind: Any) -> float:
    if isinstance(kind(0).value, float):
        try:
            return float(value)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    number = integer(name, value)
    # ctypes would take a number modulo the size of the field.
    if not 0 <= number < 1 << 8 * sizeof(kind):
        raise invalid(name, f"from 0 to {(1 << 8 * sizeof(kind)) - 1}, not {number}")
    return number


def described(space: int, given: dict[str, Any]) -> tuple[abi.aznas_arch, abi.aznas_options]:
    """The structs of the options that are given. `None` stands for the default of each."""
    arch, options = default_arch(space), default_options()
    for name, value in given.items():
        if name not in abi.OPTIONS:
            near = difflib.get_close_matches(name, abi.OPTIONS, 1)
            raise TypeError(f"there is no option {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if value is None:
            continue
        struct, choice, _ = abi.OPTIONS[name]
        if choice is abi.Proxy:
            value = proxy_set(value)
        elif choice is not None:
            value = member(name, value, choice)  # type: ignore[arg-type]
        assign(arch if struct is abi.aznas_arch else options, name, value)
    return arch, options


def takes_options(function: _Function) -> _Function:
    """Shows a function's options as what they are, keyword arguments with defaults, and explains them in its help."""
    signature = inspect.signature(function)
    own = [argument for argument in signature.parameters.values() if argument.kind is not argument.VAR_KEYWORD]
    defaults = default_options()
    options, lines = [], ["", "", "Options, of which None stands for the default:", ""]
    for name, (struct, choice, doc) in abi.OPTIONS.items():
        default = None  # those of a text's network depend on its space
        if struct is abi.aznas_options:
            default = getattr(defaults, name)
            if choice is not None:
                default = str((abi.Proxies if choice is abi.Proxy else choice)(default).name).lower()
        options.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default))
        lines.append(f"    {name}: " + doc.replace("\n", "\n        "))
    function.__signature__ = signature.replace(parameters=own + options)  # type: ignore[attr-defined]
    function.__doc__ = inspect.cleandoc(function.__doc__ or "") + "\n".join(lines)
    return function
