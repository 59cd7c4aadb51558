"""What is refused, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .abi import Status

if TYPE_CHECKING:
    from .table import Table


class Error(ValueError):
    """Something cannot be scored. `field` and the numbers name the place; those that say nothing about it are 0.

    `index` and `table` are set by `score_many`: which architecture it was, and what had been scored by then.
    """

    index: int | None = None
    table: Table | None = None

    def __init__(self, what: str, status: Status = Status.INVALID, field: str = "", expected: str = "", column: int = 0,
                 block: int = 0, node: int = 0, needed: int = 0, given: int = 0) -> None:
        super().__init__(what, status, field, expected, column, block, node, needed, given)
        #: The status of the library.
        self.status = status
        #: The option, argument or field that is wrong, or a quantity in words.
        self.field = field
        #: What it must be.
        self.expected = expected
        #: The column of a text, from 1.
        self.column = column
        #: The block of a network, from 0.
        self.block = block
        #: The node of the block, from 1.
        self.node = node
        #: Bytes, elements, the limit or the divisor that would have been right.
        self.needed = needed
        #: Bytes or elements that were given.
        self.given = given

    def __str__(self) -> str:
        text = str(self.args[0])
        if self.status == Status.PARSE:
            text += f": column {self.column}"
        elif self.status == Status.NODE:
            text += f": block {self.block}, node {self.node}"
        elif self.status == Status.TENSOR_LENGTH:
            text += f": block {self.block}"
        if self.status == Status.MODEL:
            text += f": {self.field}: {self.expected}"
        elif self.field:
            text += f": {self.field} must be {self.expected}" if self.expected else f": {self.field}"
        elif self.expected:
            text += f": expected {self.expected}"
        if self.needed:
            text += f" (needed: {self.needed}, given: {self.given})"
        return text


def invalid(field: str, expected: str) -> Error:
    """The refusal of a value."""
    return Error("invalid", Status.INVALID, field, expected)
