"""Whether a checkpoint's table of embeddings has the rows that its data ask for."""

from collections.abc import Iterator
from pathlib import Path

from fieldguide.checkpoint.layouts import Checkpoint
from fieldguide.checkpoint.soundness import sizes
from fieldguide.data.token_rules import read_part
from fieldguide.data.tokens import examine
from fieldguide.lines import regular
from fieldguide.report import Finding, UsageProblem

PADDING = 128  # rows that a table may have beyond the vocabulary: sizes are rounded up to a multiple of 64 or 128
BOTH = "take the meta.pkl and the .bin files of the very data that this was trained on; make all of them by one command"


def fits_data(checkpoint: Checkpoint, folder: Path) -> Iterator[Finding]:
    """The rows against meta.pkl's vocabulary, and against the ids of the folder's .bin files."""
    rows = dict(sizes(checkpoint.plain)).get("vocab_size")
    if rows is None:
        yield Finding("note", "There is no table of embeddings of a known name, so the data can't be compared")
        return
    part, refused = read_part(folder, None)
    paths = [folder / name for name in ("train.bin", "val.bin") if (folder / name).is_file()]
    if not part.meta and not paths and not refused:
        raise UsageProblem(f"{folder} has neither meta.pkl nor train.bin: name the folder of the data")
    yield from refused
    fits = not refused
    if part.meta and part.vocabulary is not None and not 0 <= rows - part.vocabulary < PADDING:
        fits = False
        yield Finding(
            "error", f"The checkpoint has {rows:,} rows of embeddings, and meta.pkl {part.vocabulary:,} tokens",
            "the ids are another tokenizer's: such weights give nonsense, or an index that is out of range", BOTH,
        )  # fmt: skip
    for path in paths:
        found = examine(regular(path, "a file of tokens"), 2, rows, lambda done: None)
        if found.above:
            fits = False
            yield Finding(
                "error", f"{path.name} has {found.above:,} ids that the checkpoint's {rows:,} rows do not have",
                f"the first at token {found.above_at:,}, the largest id is {found.largest:,}", BOTH,
            )  # fmt: skip
    if fits:
        yield Finding(
            "good", f"The ids of {folder} are among the checkpoint's {rows:,} rows of embeddings",
            "that they mean the same tokens can't be seen from sizes: measure the loss of one old batch",
        )  # fmt: skip
