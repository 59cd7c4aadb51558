"""Tables and drawings as a notebook shows them: well-formed, and with everything in them."""

from xml.etree import ElementTree

import aznas
import numpy as np
import pytest
from test_score import CELL, NETWORK, TEXTS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("count", [0, 1, 16, 17, 40])
def test_a_table_shows_its_ends_and_what_was_measured(count: int) -> None:
    table = aznas.score_many([CELL] * count, batch=2, cells=1, proxies="depth")
    tree = ElementTree.fromstring(table._repr_html_())
    rows = tree.findall("tbody/tr")
    assert len(rows) == min(count, 17)
    assert ("more" in table._repr_html_()) == (count > 16)
    assert [cell.text for cell in tree.findall("thead/tr/th")] == ["arch", *table.proxies()]


def test_a_table_of_any_columns_shows_itself() -> None:
    table = aznas.score_many([CELL, CELL], batch=2, cells=1)
    for part in (table["depth"], table[["arch", "depth"]], table[0], table[:1], np.sort(table, order="depth")):
        if hasattr(part, "_repr_html_"):
            ElementTree.fromstring(part._repr_html_())
    ElementTree.fromstring(aznas.score(CELL, batch=2, cells=1)._repr_html_())


@pytest.mark.parametrize("arch, boxes, edges", [
    (CELL, 4, 6), (TEXTS["nb101"], 7, TEXTS["nb101"].split(":")[1].count("1")), (NETWORK, 8, 8),
])
def test_a_drawing_has_a_box_and_an_arrow_for_everything(arch: str | aznas.Network, boxes: int, edges: int) -> None:
    tree = ElementTree.fromstring(aznas.draw(arch)._repr_svg_())
    assert len(tree.findall(f"{SVG}rect")) == boxes
    assert len(tree.findall(f"{SVG}path")) == edges


@pytest.mark.parametrize("text", ["", "|", "|none~0|", "7:1:333mm", TEXTS["mbv2"]])
def test_what_cannot_be_drawn_is_refused(text: str) -> None:
    with pytest.raises(aznas.Error, match="arch"):
        aznas.draw(text)
