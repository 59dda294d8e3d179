"""Tables whose corner is empty."""

import pytest
from docutils import nodes
from docutils.core import publish_doctree

from cutaway.tables import name_rows

TABLE = """
.. list-table::
   :header-rows: 1

   * - {corner}
     - gives
   * - a
     - 1
"""


@pytest.mark.parametrize(("corner", "stubs"), [("", [1, 0]), ("made", [0, 0])])
def test_the_first_column_names_the_rows_under_an_empty_corner(corner: str, stubs: list[int]) -> None:
    tree = publish_doctree(TABLE.format(corner=corner))
    name_rows(None, tree, "index")  # type: ignore[arg-type]
    assert [column.get("stub", 0) for column in tree.findall(nodes.colspec)] == stubs
