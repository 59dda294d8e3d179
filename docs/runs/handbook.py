"""The text that the runs read: the handbook that every Python carries, as one Python had it.

Each Python's is a little different, and the models here are trained on this one: so it is committed beside them.
"""

import json
import lzma
from pathlib import Path

DOCUMENT = 500  # characters after which a document is cut: rows begin at sentences more often

_read = json.loads(lzma.decompress((Path(__file__).parent / "pinned/topics.json.xz").read_bytes()))
source = _read["source"]  # which Python's it is
topics = _read["topics"]  # as `pydoc_data.topics.topics`: name -> text


def whole_text():
    """All sections in the order of their names, as one text."""
    return "\n\n".join(topics[name] for name in sorted(topics))


def sections():
    """The sections of the text, each once."""
    from nanochat.data import corpus

    return corpus.python_docs(topics)[1]


def write_topics(folder):
    """Shards of the handbook, in documents of about ``DOCUMENT`` characters; their manifest."""
    from nanochat.data import corpus
    from nanochat.dataset import write_shards

    pieces = [piece for section in sections() for piece in corpus.cut(section, DOCUMENT)]
    return write_shards([piece for piece in pieces if piece.strip()], folder, source)
