"""One number per candidate out of several proxies."""

from collections.abc import Iterable, Mapping, Sequence
from ctypes import POINTER, byref, c_double, c_size_t, cast, sizeof
from typing import Any

import numpy as np
import numpy.typing as npt

from . import abi
from .error import invalid
from .library import LIBRARY, error_struct, proxy_names, require
from .options import member, proxy_set
from .scoring import Scores

#: What can be ranked: a table, columns by name, or one result of `score` after another.
Candidates = npt.NDArray[Any] | Mapping[str, npt.ArrayLike] | Sequence[Scores]


def aggregate(table: Candidates, *, proxies: str | Iterable[str] = "paper",
              weights: Mapping[str, float] | None = None, mode: abi.Mode | abi.ModeName = "log") -> npt.NDArray[np.float64]:
    """Ranks candidates by several proxies at once: one number for each, higher is better.

    A candidate counts by its rank in each proxy, 1 for the worst and m for the best. `mode` "log" sums `ln(rank / m)`,
    equation 12 of the paper, "linear" sums `rank / m`. `weights` are factors by proxy, 1 unless given. NaN ranks as minus
    infinity.

    `table` is what `score_many` returns, or columns by name, such as a structured array, a dictionary or a data frame, or
    a list of `Scores`. Names of proxies stand for columns; other columns can be named too, if each name is given apart.

        >>> table[aznas.aggregate(table, proxies="extended").argmax()]["arch"]
    """
    names = _names(table, proxies)
    columns = [_column(table, name) for name in names]
    count = len(columns[0])
    for name, column in zip(names, columns):
        if len(column) != count:
            raise invalid(name, f"as long as {names[0]}, which has {count} numbers, not {len(column)}")
    unknown = (weights or {}).keys() - set(names)
    if unknown:
        raise invalid("weights", f"of {', '.join(names)}, not of {', '.join(sorted(unknown))}")
    factors = (c_double * len(names))(*((weights or {}).get(name, 1.0) for name in names))
    starts = (POINTER(c_double) * len(names))(*(cast(column.ctypes.data, POINTER(c_double)) for column in columns))
    ranking = abi.aznas_ranking(
        struct_size=sizeof(abi.aznas_ranking), columns=starts, column_count=len(names), candidate_count=count,
        weights=factors, mode=member("mode", mode, abi.Mode))
    size, error = c_size_t(), error_struct()
    require(LIBRARY.aznas_aggregate_workspace_size(byref(ranking), byref(size), byref(error)), error)
    workspace, out = np.empty(size.value, np.uint8), np.empty(count)
    require(LIBRARY.aznas_aggregate(byref(ranking), workspace.ctypes.data, workspace.size,
                                    out.ctypes.data_as(POINTER(c_double)), byref(error)), error)
    return out


def _names(table: Candidates, proxies: str | Iterable[str]) -> list[str]:
    """The columns that are meant: those of a set of proxies in the order of their numbers, or others as they are given."""
    given = [proxies] if isinstance(proxies, str) else list(proxies)
    own = set(table.dtype.names or ()) if isinstance(table, np.ndarray) else set(getattr(table, "keys", list)())
    if not isinstance(proxies, str) and given and own.issuperset(given):
        return given
    return proxy_names(proxy_set(",".join(given)))


def _column(table: Candidates, name: str) -> npt.NDArray[np.float64]:
    """The numbers of a column, one after another."""
    if isinstance(table, Sequence):
        for scores in table:
            if not isinstance(scores, Scores):
                raise TypeError(f"candidates are Scores, not {type(scores).__name__}")
        _require_measured(name, np.array([scores.measured for scores in table], np.uint32))
        return np.array([scores[name] for scores in table], np.float64)
    if isinstance(table, np.ndarray) and table.dtype.names is None:
        raise TypeError(f"a table has columns with names, which an array of {table.dtype} and shape {table.shape} has not")
    try:
        column = np.asarray(table[name])
    except (KeyError, ValueError):
        raise invalid("table", f"one with a column {name}") from None
    if column.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be numbers, not {column.dtype}")
    if column.ndim != 1:
        raise invalid(name, f"one number for each candidate, not of shape {column.shape}")
    if isinstance(table, np.ndarray) and "measured" in (table.dtype.names or ()):
        _require_measured(name, table["measured"][table["scored"]])
    return np.ascontiguousarray(column, np.float64)


def _require_measured(name: str, measured: npt.NDArray[np.uint32]) -> None:
    """Refuses a proxy that no rank can be told of, as the scores were asked for others."""
    bit = np.uint32(proxy_set(name))
    if np.any(measured & bit == 0):
        raise invalid(name, "measured: ask for it with the option proxies")
