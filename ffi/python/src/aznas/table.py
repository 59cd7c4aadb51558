"""Scores of many networks, as a numpy array of one row each that shows itself in a notebook."""

from __future__ import annotations

from ctypes import sizeof
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from . import abi
from .library import PROXY_NAMES, proxy_names

#: Rows that a notebook shows of a longer table, at either end.
_ENDS = 8


def _score_fields() -> list[tuple[str, npt.DTypeLike, int]]:
    """Name, type and place of what scores hold: the fields of the C struct, then the proxies without one."""
    fields: list[tuple[str, npt.DTypeLike, int]] = []
    for name in abi.ScoreFields.__annotations__:
        kind = dict((field[0], field[1]) for field in abi.aznas_scores._fields_)[name]
        fields.append((name, np.dtype(kind), getattr(abi.aznas_scores, name).offset))
    start = abi.aznas_scores.proxies.offset
    known = {name for name, *_ in fields}
    fields += [(name, np.dtype(np.float64), start + 8 * number) for number, name in enumerate(PROXY_NAMES)
               if name not in known]
    return fields


SCORE_FIELDS = _score_fields()


def row_type(text_length: int) -> np.dtype[Any]:
    """The type of a row. It starts as the C struct, so that the library writes into it: nothing is copied."""
    names, formats, offsets = (list(column) for column in zip(*SCORE_FIELDS))
    end = sizeof(abi.aznas_scores)
    names += ["status", "scored", "arch"]
    formats += [np.dtype(np.int32), np.dtype(np.bool_), np.dtype(f"U{max(text_length, 1)}")]
    offsets += [end, end + 4, end + 8]
    itemsize = -(-(end + 8 + 4 * max(text_length, 1)) // 8) * 8
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": itemsize})


class Table(np.ndarray[Any, np.dtype[Any]]):
    """One row for each network: `arch`, every proxy by its name, counts, `flags`, `measured`, `scored` and `status`.

    A structured array like any other: `table["trainability"]`, `table[table["depth"] > 3]`,
    `table[aznas.aggregate(table).argsort()[::-1]]`. What is undefined or was not measured is minus infinity.
    Rows that were refused, or not reached, are not `scored`; `status` says why, one of `Status`, 0 for those not reached.
    """

    def proxies(self) -> list[str]:
        """The names of the proxies that were measured."""
        return proxy_names(int(np.bitwise_or.reduce(np.atleast_1d(self["measured"])))) if self.size else []

    def _repr_html_(self) -> str:
        if self.dtype.names is None or "measured" not in self.dtype.names:
            return f"<pre>{escape(repr(self))}</pre>"
        names = ["arch", *self.proxies()]
        rows: list[str] = []
        for index, row in enumerate(np.atleast_1d(self)):
            if _ENDS <= index < self.size - _ENDS:
                rows += [f"<tr><td colspan='{len(names)}'>… {self.size - 2 * _ENDS} more …</td></tr>"] * (index == _ENDS)
                continue
            cells = [f"<td>{row[name]:.6g}</td>" for name in names[1:]]
            rows.append(f"<tr><td><code>{escape(str(row['arch']))}</code></td>{''.join(cells)}</tr>")
        heading = "".join(f"<th>{name}</th>" for name in names)
        return f"<table><thead><tr>{heading}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


class Rows:
    """The memory of a table while it is filled."""

    def __init__(self, texts: list[str]) -> None:
        kind = row_type(max(map(len, texts), default=0))
        self._memory = bytearray(len(texts) * kind.itemsize)
        self._itemsize = kind.itemsize
        self.table: Table = np.frombuffer(self._memory, kind).view(Table)
        for name, field in kind.fields.items() if kind.fields else ():
            if field[0] == np.float64:
                self.table[name] = -np.inf
        self.table["arch"] = texts

    def scores(self, index: int) -> abi.aznas_scores:
        """The C struct of a row, which is written through it."""
        scores = abi.aznas_scores.from_buffer(self._memory, index * self._itemsize)
        scores.struct_size = sizeof(scores)
        return scores


def score_values(scores: abi.aznas_scores) -> dict[str, Any]:
    """What a C struct holds, by name, as Python's numbers."""
    names, formats, offsets = (list(column) for column in zip(*SCORE_FIELDS))
    kind = np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": sizeof(abi.aznas_scores)})
    row = np.frombuffer(memoryview(scores), kind)[0]
    return {name: row[name].item() for name in names}
