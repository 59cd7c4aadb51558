"""Pictures of cells and networks, which a notebook shows."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .error import invalid
from .network import Network

_STEP, _LEFT, _BOX = 64, 24, (200, 32)
_INK, _PALE, _LINE = "#1f2937", "#9ca3af", "#2563eb"
#: Operations that pass nothing on.
_NOTHING = {"none", "zero"}


@dataclass(frozen=True)
class Drawing:
    """A picture as SVG. A notebook shows it; `open(name, "w").write(drawing.svg)` keeps it."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg


def draw(arch: str | Network) -> Drawing:
    """Draws a cell of NAS-Bench-201 or NAS-Bench-101, or a `Network`: from top to bottom, an arrow for everything read."""
    if isinstance(arch, Network):
        return _network(arch)
    if arch.startswith("|"):
        return _nb201(arch)
    if re.match(r"\d+:[01]+:", arch):
        return _nb101(arch)
    raise invalid("arch", "a Network, or a cell of NAS-Bench-201 or NAS-Bench-101, for a drawing")


def _nb201(text: str) -> Drawing:
    parts = [part.strip("|").split("|") for part in text.split("+")]
    edges = [(int(edge.split("~")[1]), node, edge.split("~")[0])
             for node, part in enumerate(parts, 1) for edge in part if re.fullmatch(r"\w+~\d+", edge)]
    if len(edges) != 6:
        raise invalid("arch", "a cell of six operations such as nor_conv_3x3~0")
    return _picture(["input", "1", "2", "output"], edges)


def _nb101(text: str) -> Drawing:
    count, bits, ops = text.split(":")
    pairs = [(i, j) for i in range(int(count)) for j in range(i + 1, int(count))]
    if len(pairs) != len(bits):
        raise invalid("arch", f"a cell with {len(pairs)} bits for {count} vertices")
    names = {"1": "conv1x1", "3": "conv3x3", "m": "maxpool3x3"}
    labels = ["input", *(names.get(op, op) for op in ops), "output"]
    return _picture(labels, [(i, j, "") for (i, j), bit in zip(pairs, bits) if bit == "1"])


def _network(network: Network) -> Drawing:
    labels, edges, start = ["input"], list[tuple[int, int, str]](), 0
    for number, block in enumerate([*network.blocks, network.head]):
        first = len(labels)
        for node in block:
            # 0 is what the block reads, the last node of the block before.
            edges += [(start if reads == 0 else first + reads - 1, len(labels), "") for reads in node.inputs]
            size = f" {node.channels}" if node.channels else ""
            labels.append(f"{node.op.name.lower()}{size}" + (f" · block {number}" if node is block[0] else ""))
        start = len(labels) - 1
    return _picture(labels, edges)


def _picture(labels: Sequence[str], edges: Sequence[tuple[int, int, str]]) -> Drawing:
    """Boxes in a column, and an arrow for each edge, which bends the farther to the right the longer it is."""
    width, box = _BOX
    reach = max((to - source for source, to, _ in edges), default=1)
    named = max((len(name) for *_, name in edges), default=0)
    total = _LEFT + width + 36 * reach + 8 * named + 24, _STEP * len(labels)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{total[0]}" height="{total[1]}" '
             f'viewBox="0 0 {total[0]} {total[1]}" font-family="sans-serif" font-size="13">',
             f'<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
             f'<path d="M0 0L8 4L0 8z" fill="{_LINE}"/></marker></defs>']
    middle, right = _LEFT + width // 2, _LEFT + width
    for source, to, name in edges:
        nothing = name in _NOTHING
        style = f'fill="none" stroke="{_PALE if nothing else _LINE}" stroke-width="1.5"'
        style += ' stroke-dasharray="4 4"' if nothing else ' marker-end="url(#tip)"'
        top, end = source * _STEP + 16 + box, to * _STEP + 16
        if to - source == 1:
            parts.append(f'<path d="M{middle} {top}L{middle} {end}" {style}/>')
            place = (middle + 8, (top + end) // 2 + 4)
        else:
            bend, start, stop = right + 48 * (to - source), top - box // 2 + 4 * (to - source), end + box // 2 - 4
            parts.append(f'<path d="M{right} {start}C{bend} {start} {bend} {stop} {right} {stop}" {style}/>')
            place = (right + 36 * (to - source) + 4, (start + stop) // 2 + 4)
        parts.append(f'<text x="{place[0]}" y="{place[1]}" fill="{_PALE if nothing else _INK}">{escape(name)}</text>')
    for number, label in enumerate(labels):
        top = number * _STEP + 16
        parts.append(f'<rect x="{_LEFT}" y="{top}" width="{width}" height="{box}" rx="6" fill="#eff6ff" stroke="{_INK}"/>')
        parts.append(f'<text x="{middle}" y="{top + 21}" text-anchor="middle" fill="{_INK}">{escape(label)}</text>')
    return Drawing("".join([*parts, "</svg>"]))
