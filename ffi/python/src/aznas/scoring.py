"""Scores of one network and of many."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable
from ctypes import byref, pointer, sizeof
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from . import abi
from .error import Error, invalid
from .library import LIBRARY, error_struct, failure, proxy_bits, proxy_names, require
from .network import Network
from .options import described, integer, member, takes_options
from .table import Rows, Table, score_values
from .tensors import Tensors, source


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in `score_many`. `table` has what was scored by then."""

    def __init__(self, table: Table) -> None:
        super().__init__(f"{int(table['scored'].sum())} of {table.size} networks are scored")
        self.table = table


class Scores(abi.ScoreFields):
    """The proxies of a network, as attributes and by name: `scores.trainability`, `scores["grad_norm"]`.

    All are "higher is better"; what is undefined, or was not measured, is minus infinity.
    """

    #: What is measured of every block, as a structured array: a row for each block, repeat after repeat.
    blocks: npt.NDArray[Any]

    def __init__(self, values: dict[str, Any], blocks: npt.NDArray[Any]) -> None:
        self._values = values
        self.__dict__.update(values)
        self.blocks = blocks

    def __getitem__(self, proxy: str) -> float:
        return float(self._values[proxy])

    def proxies(self) -> dict[str, float]:
        """The proxies that were measured."""
        return {name: self[name] for name in proxy_names(self.measured)}

    def values(self, proxies: str | Iterable[str]) -> npt.NDArray[np.float64]:
        """The values of some proxies, in the order of their numbers."""
        bits = proxy_bits(proxies if isinstance(proxies, str) else ",".join(proxies))
        return np.array([self[name] for name in proxy_names(bits)])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scores) and self._values == other._values

    def __hash__(self) -> int:
        return hash(tuple(self._values.values()))

    def __repr__(self) -> str:
        known = [f"{name}={value!r}" for name, value in self.proxies().items()]
        reasons = [f"flags={abi.Flag(self.flags)!r}"] if self.flags else []
        return f"Scores({', '.join(known + reasons)})"

    def _repr_html_(self) -> str:
        rows = (f"<tr><th>{name}</th><td>{value:.6g}</td></tr>" for name, value in self.proxies().items())
        return f"<table>{''.join(rows)}</table>"


class Workspace(threading.local):
    """The memory that a thread scores in: it grows to the largest need and is kept until the thread ends."""

    def __init__(self) -> None:
        self._error = error_struct()
        self._reserve(0)

    def _reserve(self, size: int) -> None:
        self._bytes: npt.NDArray[np.uint8] = np.empty(size, np.uint8)
        self._start = self._bytes.ctypes.data

    def score(self, request: Request, scores: abi.aznas_scores) -> Error | None:
        """Scores a network, and returns what is refused. The interpreter's lock is free meanwhile."""
        error = self._error
        while True:
            status = LIBRARY.aznas_score(byref(request.arch), byref(request.options), self._start, self._bytes.size,
                                         byref(scores), byref(error))
            if status == abi.Status.OK:
                return None
            if status != abi.Status.WORKSPACE_TOO_SMALL:
                return failure(status, error)
            # Refused before any work, with the size that suffices.
            self._reserve(0)
            try:
                self._reserve(error.needed)
            except MemoryError:
                return failure(abi.Status.OUT_OF_MEMORY, abi.aznas_error(needed=error.needed))


_WORKSPACE = Workspace()


class Request:
    """A network and how it is scored, as the C functions take them."""

    def __init__(self, arch: str | Network, space: abi.Space | abi.SpaceName, tensors: Tensors | None,
                 given: dict[str, Any]) -> None:
        if isinstance(arch, Network):
            self.arch, self.options = described(abi.Space.GRAPH, {**arch.options, **given})
            arch.fill(self.arch)
        else:
            self.arch, self.options = described(member("space", space, abi.Space), given)
            self.set_text(arch)
        self._arrays: object = None
        if tensors is not None:
            table, self._arrays = source(tensors)
            self.options.source = pointer(table)

    def set_text(self, text: str) -> None:
        """Makes a text what is scored."""
        raw = text.encode()
        self.arch.text, self.arch.text_len = raw, len(raw)

    def of(self, text: str) -> Request:
        """The same request for another text."""
        other = Request.__new__(Request)
        other.options, other._arrays = self.options, self._arrays
        other.arch = abi.aznas_arch.from_buffer_copy(self.arch)
        other.set_text(text)
        return other

    def costs(self) -> abi.aznas_costs:
        """What the network costs for one image."""
        costs, error = abi.aznas_costs(struct_size=sizeof(abi.aznas_costs)), error_struct()
        require(LIBRARY.aznas_cost(byref(self.arch), byref(self.options), byref(costs), byref(error)), error)
        return costs


@takes_options
def score(arch: str | Network, *, space: abi.Space | abi.SpaceName = "nb201", tensors: Tensors | None = None,
          **options: Unpack[abi.Options]) -> Scores:
    """Scores a network on this thread.

        >>> aznas.score("|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|", batch=8)

    `arch` is a text of `space`, or a `Network`. Scores are a function of the arguments: the same bits on any thread, on
    any machine with the same instruction set, and from Rust, C or Python. Other Python threads run meanwhile.

    `tensors` are arrays in place of random ones: numpy arrays of float32 in C order, by role, block and key, such as
    `{("weight", 0, 0): weights}`. Roles and shapes are those of `Role`.

    Raises `Error`, which names the place, for what cannot be scored, and `TypeError` for values of a wrong type.
    """
    _check_kind(arch)
    request = Request(arch, space, tensors, dict(options))
    count = request.costs().blocks * request.options.repeats
    rows = (abi.aznas_block * count)()
    scores = abi.aznas_scores(struct_size=sizeof(abi.aznas_scores), blocks=rows, block_capacity=count,
                              block_size=sizeof(abi.aznas_block))
    if error := _WORKSPACE.score(request, scores):
        raise error
    return Scores(score_values(scores), np.frombuffer(rows, np.dtype(abi.aznas_block)))


@takes_options
def cost(arch: str | Network, *, space: abi.Space | abi.SpaceName = "nb201",
         **options: Unpack[abi.Options]) -> dict[str, float]:
    """Counts blocks, multiply-adds and parameters of a network, which is not run. Arguments are those of `score`."""
    _check_kind(arch)
    costs = Request(arch, space, None, dict(options)).costs()
    return {field[0]: getattr(costs, field[0]) for field in costs._fields_[1:]}


@takes_options
def score_many(archs: Iterable[str | Network], *, threads: int | None = None, keep_going: bool = False,
               space: abi.Space | abi.SpaceName = "nb201", tensors: Tensors | None = None,
               **options: Unpack[abi.Options]) -> Table:
    """Scores networks on several threads, all processors unless told otherwise, and returns a `Table` in their order.

    Each row has the bits of `score`. What cannot be scored raises `Error` with its `index` and the `table` so far; with
    `keep_going` its row is not `scored` and has the `status` instead, and the others go on. Ctrl-C lets the networks at
    work finish and raises `Interrupted`, a `KeyboardInterrupt` whose `table` has what is done.

    Arguments are those of `score`.
    """
    networks = list(archs)
    for network in networks:
        _check_kind(network)
    if threads is None:
        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if integer("threads", threads) < 1:
        raise invalid("threads", f"at least 1, not {threads}")
    # Options are refused before any work.
    shared = Request("", space, tensors, dict(options))
    rows = Rows([str(network) for network in networks])
    scored, status = rows.table["scored"], rows.table["status"]
    waiting = deque(enumerate(networks))
    at_work = 0
    changed = threading.Condition()
    failures: dict[int, Exception] = {}

    def score_row(index: int, network: str | Network) -> None:
        request = shared.of(network) if isinstance(network, str) else Request(network, space, tensors, dict(options))
        if error := _WORKSPACE.score(request, rows.scores(index)):
            status[index] = error.status
            raise error
        scored[index] = True

    def work() -> None:
        nonlocal at_work
        while True:
            with changed:
                if not waiting:
                    return
                index, network = waiting.popleft()
                at_work += 1
            try:
                score_row(index, network)
            except Exception as error:
                failures[index] = error
                if not (keep_going and isinstance(error, Error)):
                    waiting.clear()
            with changed:
                at_work -= 1
                if not (waiting or at_work):
                    changed.notify_all()

    try:
        for _ in range(min(threads, len(networks))):
            threading.Thread(target=work, name="aznas", daemon=True).start()
        with changed:
            changed.wait_for(lambda: not waiting and not at_work)
    except KeyboardInterrupt:
        # Even a thread that has not begun yet finds nothing to do.
        with changed:
            waiting.clear()
            changed.wait_for(lambda: not at_work)
        raise Interrupted(rows.table) from None
    for index, error in sorted(failures.items()):
        if not (keep_going and isinstance(error, Error)):
            error.add_note(f"architecture {index}: {networks[index]}")
            if isinstance(error, Error):
                error.index, error.table = index, rows.table
            raise error
    return rows.table


def _check_kind(arch: object) -> None:
    if not isinstance(arch, (str, Network)):
        raise TypeError(f"an architecture is a text or a Network, not {type(arch).__name__}")
