"""``sphinx-build -b clips`` reads the pages, draws the clips that the store lacks, and writes no page.

With ``-D cutaway_shard=2/4`` these are the second share of four. The stores of all shards are joined by copying: their
files are named by what they are made of.
"""

from __future__ import annotations

from collections.abc import Set

from sphinx.application import Sphinx
from sphinx.builders.dummy import DummyBuilder


class Clips(DummyBuilder):
    """Makes what is made between reading and writing, for a format that shows pictures."""

    name = "clips"
    epilog = "The clips are in the store."
    supported_image_types = ["image/png"]  # noqa: RUF012 - as Sphinx declares it

    def get_outdated_docs(self) -> set[str]:
        return set()

    def write_documents(self, docnames: Set[str]) -> None:
        """No page."""


def setup(app: Sphinx) -> None:
    app.add_builder(Clips)
