"""Whether data and tokenizer fit the model. Files are read as bytes, JSON or plain pickles; none is executed."""

from pathlib import Path

import numpy as np

from fieldguide.models import Subject
from fieldguide.models.families import meta_vocab
from fieldguide.report import Finding

LOOKED_AT = 32  # stretches of a file
STRETCH = 1 << 20  # tokens of one
Findings = list[Finding]


def check_data(folder: Path, subject: Subject) -> Findings:
    """Files of nanoGPT or shards of nanochat in a folder."""
    if not folder.is_dir():
        return [Finding("error", f"There is no data at {folder}.", advice="name the folder where it is (--dataset of "
                        "nanoGPT's commands, else --data), or make it: nanogpt data, nanochat dataset")]  # fmt: skip
    if (folder / "train.bin").exists() or not subject.name.startswith("nanochat"):
        found = check_meta(folder, subject)
        return found + check_bin(folder / "train.bin", subject) + check_bin(folder / "val.bin", subject)
    return check_shards(folder)


def check_bin(path: Path, subject: Subject) -> Findings:
    """Whole, long enough, and no id that the model lacks."""
    if not path.is_file():
        own = path.parent / "prepare.py"  # as in nanoGPT's own repository
        maker = f"python {own}" if own.is_file() else "python -m nanogpt.data"
        return [Finding("error", f"{path} is missing.", advice=f"{maker} makes it; {path.parent} needs train.bin and "
                        "val.bin")]  # fmt: skip
    size = path.stat().st_size
    if size == 0 or size % 2:
        return [Finding("error", f"{path} is empty or cut off.", f"{size:,} bytes; a token has 2", "make it again")]
    tokens = size // 2
    if tokens <= subject.block:
        return [Finding("error", f"{path} is too short: no sequence fits in.", f"{tokens:,} tokens, and one more than "
                        f"block={subject.block} are needed", "a longer text, or a shorter --block")]  # fmt: skip
    highest, seen = highest_id(path, tokens)
    looked = "all" if seen == tokens else f"{seen:,} of {tokens:,}"
    if highest >= subject.vocab:
        return [Finding("error", f"{path} has tokens that the model lacks: it was made by another tokenizer.",
                        f"id {highest} among {looked} tokens, and vocab={subject.vocab}",
                        "make the data with the model's tokenizer, or set --vocab")]  # fmt: skip
    what = f"{path}: {tokens:,} tokens, ids up to {highest} of {subject.vocab}."
    return [Finding("good", what, "" if seen == tokens else f"{looked} looked at")]


def highest_id(path: Path, tokens: int) -> tuple[int, int]:
    """The highest id, and how many were looked at: all of a small file, stretches of a large one."""
    data = np.memmap(path, dtype="<u2", mode="r")
    if tokens <= LOOKED_AT * STRETCH:
        starts = list(range(0, tokens, STRETCH))
    else:
        starts = np.linspace(0, tokens - STRETCH, LOOKED_AT).astype(np.int64).tolist()
    parts = [data[start : start + STRETCH] for start in starts]
    return max(int(part.max()) for part in parts), sum(len(part) for part in parts)


def check_meta(folder: Path, subject: Subject) -> Findings:
    """``meta.pkl``, which says how many tokens there are."""
    path = folder / "meta.pkl"
    try:
        size = meta_vocab(folder)
    except ValueError as error:
        return [Finding("error", f"{path} is refused or damaged.", str(error), "make the data again")]
    if size is None:
        return []
    if size > subject.vocab:
        return [Finding("error", f"{path} has more tokens than the model.", f"{size} and {subject.vocab}",
                        f"--vocab {size}")]  # fmt: skip
    if size < subject.vocab:
        return [Finding("warning", f"{path} has fewer tokens than the model: the rest is never used.",
                        f"{size} and {subject.vocab}", f"--vocab {size}")]  # fmt: skip
    return [Finding("good", f"{path} and the model have {size} tokens each.")]


def check_shards(folder: Path) -> Findings:
    """Shards of nanochat: enough of them, and of the sizes that the manifest tells."""
    shards = sorted(folder.glob("*.parquet"))
    if len(shards) < 2:
        return [Finding("error", f"{folder} holds {len(shards)} shards: one for training and one for validation are "
                        "needed.", advice="python -m nanochat.dataset, see its --help")]  # fmt: skip
    small = [path.name for path in shards if path.stat().st_size < 12 or not is_parquet(path)]
    if small:
        return [Finding("error", f"{len(small)} shards of {folder} are cut off or no parquet files.",
                        ", ".join(small[:5]), "delete them and run python -m nanochat.dataset again")]  # fmt: skip
    return [Finding("good", f"{folder}: {len(shards)} shards, {shards[-1].name} for validation."), *manifest(folder)]


def is_parquet(path: Path) -> bool:
    """Whether a file begins and ends as a parquet file."""
    with path.open("rb") as file:
        head = file.read(4)
        file.seek(-4, 2)
        return head == file.read(4) == b"PAR1"


def manifest(folder: Path) -> Findings:
    """Sizes compared with the manifest's, if there is one; digests are left to ``fieldguide data``."""
    from nanochat.data.manifest import MANIFEST, ShardError, read_manifest

    if not (folder / MANIFEST).is_file():
        return [Finding("note", f"{folder} has no manifest, so what is missing is not noticed.")]
    try:
        record = read_manifest(folder)
    except ShardError as error:
        return [Finding("error", str(error))]
    wrong = [name for name, shard in record.shards.items()
             if not (folder / name).is_file() or (folder / name).stat().st_size != shard.bytes]  # fmt: skip
    if wrong:
        return [Finding("error", f"{len(wrong)} shards are missing or not of the size in {MANIFEST}.",
                        ", ".join(wrong[:5]), "delete them and run python -m nanochat.dataset again")]  # fmt: skip
    return [Finding("good", f"All {len(record.shards)} shards have the size in {MANIFEST}.")]


def check_tokenizer(folder: Path, subject: Subject) -> Findings:
    """A tokenizer of ours: JSON with a digest. Upstream's is a pickle and is not opened; the file beside it tells."""
    from nanochat.data import vocabulary

    if (folder / "tokenizer.pkl").is_file() and not (folder / "tokenizer.json").exists():
        return check_pickled(folder, subject)
    try:
        tokens, _, special = vocabulary.load(folder)
    except (ValueError, OSError, KeyError, TypeError) as error:
        return [Finding("error", f"The tokenizer at {folder} can't be used.", str(error))]
    return compare_sizes(folder, len(tokens) + len(special), subject)


def check_pickled(folder: Path, subject: Subject) -> Findings:
    """Upstream's tokenizer: ``token_bytes.pt`` has a number for each of its tokens."""
    from fieldguide.checkpoint import pickles

    path = folder / "token_bytes.pt"
    try:
        lengths = pickles.load(path)
    except (pickles.Refused, OSError, ValueError) as error:
        what = f"Whether the tokenizer at {folder} fits can't be seen: it is a pickle, which is not opened."
        return [Finding("warning", what, str(error), "python -m scripts.tok_train writes what tells, token_bytes.pt")]
    return compare_sizes(folder, len(lengths), subject)


def compare_sizes(folder: Path, size: int, subject: Subject) -> Findings:
    """The tokens of a tokenizer and of the model."""
    if size != subject.vocab:
        level = "error" if size > subject.vocab else "warning"
        return [Finding(level, f"The tokenizer has {size} tokens and the model {subject.vocab}.",
                        advice=f"--vocab {size}, or the tokenizer of this model")]  # fmt: skip
    return [Finding("good", f"The tokenizer at {folder} and the model have {size} tokens each.")]
