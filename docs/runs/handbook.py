"""The text that the runs read: the handbook that every Python carries."""

DOCUMENT = 500  # characters after which a document is cut: rows begin at sentences more often


def whole_text():
    """All sections in the order of their names, as one text."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


def write_topics(folder):
    """Shards of the handbook, in documents of about ``DOCUMENT`` characters; their manifest."""
    from nanochat import corpus
    from nanochat.dataset import write_shards

    source, sections = corpus.python_docs()
    pieces = [piece for section in sections for piece in corpus.cut(section, DOCUMENT)]
    return write_shards([piece for piece in pieces if piece.strip()], folder, source)
