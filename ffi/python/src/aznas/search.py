"""Evolutionary search by ask and tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ctypes import POINTER, byref, c_char_p, c_double, c_size_t, cast, create_string_buffer, pointer, sizeof
from typing import Any, NamedTuple, Unpack

import numpy as np
import numpy.typing as npt

from . import abi
from .error import invalid
from .library import LIBRARY, error_struct, proxy_names, require
from .options import assign, described, integer, member, proxy_set
from .ranking import aggregate
from .scoring import Scores

#: More bytes than any candidate has.
_TEXT = 1 << 14
_ENUMS = {"warmup": abi.Warmup}


class Candidate(NamedTuple):
    """What is to be scored."""

    #: From 0, in the order of asking.
    number: int
    #: The text of the network.
    arch: str


class Search:
    """A search of a space by aggregated ranks (Algorithm 1 of the paper), asked for candidates and told their scores.

        >>> search = aznas.Search("mbv2", max_complexity=450e6, workers=4)
        >>> while len(search) < 1000 and (candidate := search.ask()):
        ...     search.tell(candidate.number, aznas.score(candidate.arch, space="mbv2", batch=16))
        >>> search.best()

    `proxies` rank: a set, or names of one's own if `tell` is given numbers by name. `options` are those of `score` that say
    what texts stand for. All else are the settings of the search, those of `SearchSettings`; `settings` has them as they are.

    Candidates are a function of the settings and of what was told, in whatever order it came in: with equal scores a search
    is repeated, and `told` of one, told to another, makes that go on. With several `workers` as many candidates may be out at
    a time, each of which misses the latest scores.
    """

    def __init__(self, space: abi.Space | abi.SpaceName = "nb201", *, proxies: str | Iterable[str] = "paper",
                 weights: Mapping[str, float] | None = None, mode: abi.Mode | abi.ModeName = "log",
                 options: abi.Options | None = None, **settings: Unpack[abi.SearchSettings]) -> None:
        self._arch, _ = described(member("space", space, abi.Space), dict(options or {}))
        self._search = abi.aznas_search()
        if LIBRARY.aznas_search_init(byref(self._search), sizeof(self._search), self._arch.space) != abi.Status.OK:
            raise invalid("space", "one with texts")
        for name, value in settings.items():
            if name not in abi.SearchSettings.__annotations__:
                raise TypeError(f"a search has no setting {name!r}")
            assign(self._search, name, member(name, value, _ENUMS[name]) if name in _ENUMS else value)
        given = [proxies] if isinstance(proxies, str) else list(proxies)
        known = isinstance(proxies, str) or not given
        #: The names that rank, in the order of the columns.
        self.proxies = proxy_names(proxy_set(",".join(given))) if known else given
        self._weights, self._mode = weights, mode
        self._factors = (c_double * len(self.proxies))(*((weights or {}).get(name, 1.0) for name in self.proxies))
        self._number_of_mode = member("mode", mode, abi.Mode)
        self._texts: list[bytes] = []
        self._starts, self._lens = (c_char_p * 0)(), (c_size_t * 0)()
        self._columns = np.empty((len(self.proxies), 0))
        self._is_told: list[bool] = []
        self._told = 0
        self._workspace = np.empty(0, np.uint8)
        self._text = create_string_buffer(_TEXT)
        # Settings that cannot work are refused here.
        require(*self._workspace_size(0)[:2])

    @property
    def settings(self) -> dict[str, Any]:
        """What it looks for, and how."""
        return {name: getattr(self._search, name) for name in abi.SearchSettings.__annotations__}

    @property
    def told(self) -> list[tuple[str, dict[str, float]]]:
        """The candidates up to the first that was not told, with their scores."""
        rows = self._columns[:, :self._told].T.tolist()
        return [(text.decode(), dict(zip(self.proxies, row))) for text, row in zip(self._texts, rows)]

    def __len__(self) -> int:
        """How many candidates were asked for."""
        return len(self._texts)

    def ask(self) -> Candidate | None:
        """The next candidate, or None while it would know some that are not told."""
        number = len(self._texts)
        if number >= self._told + self._search.workers:
            return None
        status, error, needed = self._workspace_size(number)
        require(status, error)
        if needed > self._workspace.size:
            self._workspace = np.empty(2 * needed, np.uint8)
        stride = self._columns.strides[0] if self._columns.size else 0
        first = self._columns.ctypes.data
        columns = (POINTER(c_double) * len(self.proxies))(
            *(cast(first + place * stride, POINTER(c_double)) for place in range(len(self.proxies))))
        history = abi.aznas_ranking(
            struct_size=sizeof(abi.aznas_ranking), columns=columns, column_count=len(self.proxies),
            candidate_count=self._told, weights=self._factors, mode=self._number_of_mode)
        self._search.texts, self._search.text_lens = self._starts, self._lens
        self._search.history = pointer(history) if self._told else None
        length = c_size_t()
        require(LIBRARY.aznas_search_ask(
            byref(self._search), byref(self._arch), number, self._workspace.ctypes.data, self._workspace.size, self._text,
            len(self._text), byref(length), byref(error)), error)
        text = self._text.raw[: length.value]
        self._grow(number)
        self._starts[number], self._lens[number] = text, len(text)
        self._texts.append(text)
        self._is_told.append(False)
        return Candidate(number, text.decode())

    def tell(self, number: int, scores: Scores | Mapping[str, float] | Sequence[float]) -> None:
        """Takes the scores of a candidate, in whatever order: results of `score`, or numbers by name or in the order of
        `proxies`. Higher is better; NaN counts as minus infinity."""
        if not 0 <= integer("number", number) < len(self._texts) or self._is_told[number]:
            raise invalid("number", "of a candidate that was asked for and not yet told")
        if isinstance(scores, (Scores, Mapping)):
            try:
                values = [scores[name] for name in self.proxies]
            except KeyError as missing:
                raise invalid("scores", f"those of {', '.join(self.proxies)}; {missing} is not there") from None
        else:
            values = list(scores)
        if len(values) != len(self.proxies):
            raise invalid("scores", f"one for each of {', '.join(self.proxies)}, not {len(values)}")
        self._columns[:, number] = values
        self._is_told[number] = True
        while self._told < len(self._is_told) and self._is_told[self._told]:
            self._told += 1

    def best(self) -> Candidate:
        """The best of all that are told, by their ranks among each other."""
        if not self._told:
            raise invalid("search", "told of a candidate first")
        table = dict(zip(self.proxies, self._columns[:, :self._told]))
        ranks: npt.NDArray[np.float64] = aggregate(table, proxies=self.proxies, weights=self._weights, mode=self._mode)
        number = int(ranks.argmax())
        return Candidate(number, self._texts[number].decode())

    def _workspace_size(self, number: int) -> tuple[int, abi.aznas_error, int]:
        needed, error = c_size_t(), error_struct()
        status = LIBRARY.aznas_search_workspace_size(byref(self._search), number, byref(needed), byref(error))
        return status, error, needed.value

    def _grow(self, number: int) -> None:
        """Makes room for a candidate of this number."""
        room = len(self._lens)
        if number < room:
            return
        room = max(64, 2 * room)
        # The texts themselves live in the list: the array has their addresses.
        self._starts = (c_char_p * room)(*self._texts)
        self._lens = (c_size_t * room)(*map(len, self._texts))
        columns = np.full((len(self.proxies), room), -np.inf)
        columns[:, : self._columns.shape[1]] = self._columns
        self._columns = columns
