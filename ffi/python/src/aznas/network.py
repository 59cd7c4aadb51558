"""Any network: blocks of nodes."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Sequence
from ctypes import byref, sizeof
from pathlib import Path
from typing import Any, Unpack

from . import abi
from .error import invalid
from .library import LIBRARY, error_struct, require
from .options import assign, described, integer, member

# What most nodes have. Fields that an operation does not use are ignored.
_USUAL = {"kernel": 1, "stride": 1, "dilation": 1, "groups": 1, "epsilon": 1e-5}


class Node:
    """An operation on the feature that its block reads, number 0, or on earlier nodes of the block, from number 1.

    `op` is one of `Op`, or its name in lower case: `Node("convolution", 0, channels=16, kernel=3, padding=1)`.
    Fields are those of `NodeFields`; pairs may be given as one number. Unless they are given, `kernel`, `stride`,
    `dilation` and `groups` are 1, `epsilon` is 1e-5, `key` is the number of the node in its block, and the rest is 0.
    """

    def __init__(self, op: abi.Op | abi.OpName, inputs: int | Sequence[int] = 0, *, bias: bool = False,
                 **fields: Unpack[abi.NodeFields]) -> None:
        struct = abi.aznas_node(op=member("op", op, abi.Op), flags=abi.NodeFlag.BIAS if bias else 0)
        reads = [inputs] if isinstance(inputs, int) else list(inputs)
        if len(reads) > len(struct.inputs):
            raise invalid("inputs", f"at most {len(struct.inputs)}")
        assign(struct, "inputs", reads + [0] * (len(struct.inputs) - len(reads)))
        struct.input_count = len(reads)
        for name, value in {**_USUAL, **fields}.items():
            if name not in abi.NodeFields.__annotations__:
                raise TypeError(f"a node has no field {name!r}")
            assign(struct, name, value)
        self._struct, self._has_key = struct, "key" in fields

    @property
    def op(self) -> abi.Op:
        """What it computes."""
        return abi.Op(self._struct.op)

    @property
    def inputs(self) -> list[int]:
        """What it reads."""
        return list(self._struct.inputs[: self._struct.input_count])

    def __getattr__(self, name: str) -> Any:
        if name not in abi.NodeFields.__annotations__:
            raise AttributeError(f"a node has no field {name!r}")
        value = getattr(self._struct, name)
        return value if isinstance(value, (int, float)) else tuple(value)

    def __repr__(self) -> str:
        return f"<{self.op.name.lower()} of {', '.join(map(str, self.inputs)) or 'nothing'}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _node, (bytes(self._struct), self._has_key)

    def numbered(self, number: int) -> abi.aznas_node:
        """The C struct of the node with this number in its block."""
        struct = abi.aznas_node.from_buffer_copy(self._struct)
        if not self._has_key:
            struct.key = number
        return struct


def _node(raw: bytes, has_key: bool) -> Node:
    node = Node.__new__(Node)
    node._struct, node._has_key = abi.aznas_node.from_buffer_copy(raw), has_key
    return node


class Network:
    """A chain of primary blocks, each a list of nodes whose last one is the block's feature, and a head, whose nodes
    count as complexity and parameters alone.

    `options` are the network's own, such as `height`, `width` and `input_channels`: used where a score does not say
    otherwise. A score takes a network wherever it takes a text.
    """

    def __init__(self, blocks: Iterable[Iterable[Node]], head: Iterable[Node] = (), *, name: str = "network",
                 **options: Unpack[abi.Options]) -> None:
        self.blocks = [list(block) for block in blocks]
        self.head = list(head)
        self.name = name
        self.options = options
        described(abi.Space.GRAPH, dict(options))
        if not all(self.blocks):
            raise invalid("blocks", "of one node or more each")
        for node in (node for block in [*self.blocks, self.head] for node in block):
            if not isinstance(node, Node):
                raise TypeError(f"a block is made of nodes, not of {type(node).__name__}")

    @classmethod
    def from_json(cls, text: str) -> Network:
        """Reads a network from a JSON object, as `score --print-graph` writes it and `docs/own-networks.md` describes it.

        What the C interface has no field for is refused: draws of a node's own, and complexities that are not counted.
        """
        graph = json.loads(text)
        unknown = graph.keys() - {"name", "input", "blocks", "head", "identity_rule", "progressivity", "complexity"}
        for name in [*unknown, *(name for name in ("progressivity", "complexity") if name in graph)]:
            raise invalid(name, "absent from a network of nodes")
        channels, height, width = (integer("input", side) for side in graph["input"])
        options: abi.Options = {"input_channels": channels, "height": height, "width": width}
        if "identity_rule" in graph:
            options["identity_rule"] = graph["identity_rule"]
        blocks = [[_read(node) for node in block] for block in graph["blocks"]]
        return cls(blocks, [_read(node) for node in graph.get("head", [])], name=graph["name"], **options)

    @classmethod
    def from_onnx(cls, model: str | os.PathLike[str] | bytes, *, name: str | None = None, resolution: int = 0) -> Network:
        """Reads a network from an ONNX file, or from its bytes; `docs/own-networks.md` says how to export one.

        It is cut into primary blocks by the rule that stands there. Its weights are drawn, as those of other networks.
        `resolution` is for files that leave the rows and columns of an image open. What is not understood is an `Error`
        whose `field` is the node and its operator.
        """
        raw = model if isinstance(model, bytes) else Path(model).read_bytes()
        onnx, error = abi.aznas_onnx(struct_size=sizeof(abi.aznas_onnx)), error_struct()
        onnx.resolution = integer("resolution", resolution)
        require(LIBRARY.aznas_onnx_nodes(raw, len(raw), byref(onnx), byref(error)), error)
        nodes = (abi.aznas_node * onnx.node_count)()
        onnx.nodes, onnx.node_capacity, onnx.node_size = nodes, len(nodes), sizeof(abi.aznas_node)
        require(LIBRARY.aznas_onnx_nodes(raw, len(raw), byref(onnx), byref(error)), error)
        if onnx.may_be_folded:
            warnings.warn("convolutions without a normalisation: was the file exported with batch normalisations folded?",
                          stacklevel=2)
        blocks: list[list[Node]] = [[]]
        for struct in nodes:
            is_last = struct.flags & abi.NodeFlag.END_OF_BLOCK
            struct.flags &= ~abi.NodeFlag.END_OF_BLOCK
            blocks[-1].append(_node(bytes(struct), True))
            if is_last:
                blocks.append([])
        *blocks, head = blocks
        if name is None:
            name = "network" if isinstance(model, bytes) else Path(model).stem
        return cls(blocks, head, name=name, input_channels=onnx.input_channels, height=onnx.height, width=onnx.width,
                   identity_rule=abi.Identity(onnx.identity_rule))

    def nodes(self) -> Any:
        """The nodes as an array of C structs."""
        parts = [*self.blocks, self.head]
        nodes = [node.numbered(number) for part in parts for number, node in enumerate(part, 1)]
        last = -1
        for block in self.blocks:
            last += len(block)
            nodes[last].flags |= abi.NodeFlag.END_OF_BLOCK
        return (abi.aznas_node * len(nodes))(*nodes)

    def fill(self, arch: abi.aznas_arch) -> None:
        """Makes this network what is scored."""
        nodes = self.nodes()
        arch.nodes, arch.node_count, arch.node_size = nodes, len(nodes), sizeof(abi.aznas_node)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"<{self.name}: {len(self.blocks)} blocks>"

    def _repr_svg_(self) -> str:
        from .drawing import draw

        return draw(self).svg


def _read(node: dict[str, Any]) -> Node:
    fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in node.items()}
    if "draw" in fields:
        raise invalid("draw", "absent from a network of nodes")
    return Node(fields.pop("op"), fields.pop("inputs"), **fields)
