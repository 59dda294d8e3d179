"""The tokens of a tokenizer: learned by rustbpe, kept in one JSON file that is checked and runs no code.

``tokens`` has the bytes of each token in hexadecimal, in order of their ids: the 256 bytes, then the merges.
``special_tokens`` follow them. ``sha256`` is the digest of everything else.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import rustbpe
import tiktoken

from nanochat.data.bpe import BYTES
from nanochat.files import replacing

FILE = "tokenizer.json"
FORMAT = "nanochat tokenizer 1"


def learn(texts: Iterable[str], size: int, pattern: str) -> list[bytes]:
    """The bytes of ``size`` tokens, in order of their ids: 256 bytes, then merges, as ``bpe.train`` learns them."""
    if size < BYTES:
        raise ValueError(f"size={size}: the {BYTES} bytes are tokens already; ask for {BYTES} or more")
    learner = rustbpe.Tokenizer()
    learner.train_from_iterator(iter(texts), size, pattern=pattern)
    ranks = learner.get_mergeable_ranks()
    return [bytes(token) for token, _ in sorted(ranks, key=lambda entry: entry[1])]


def build(tokens: list[bytes], pattern: str, special_tokens: list[str]) -> tiktoken.Encoding:
    """The encoder of these tokens; the special ones get the ids after them, in order."""
    return tiktoken.Encoding(
        name="rustbpe",
        pat_str=pattern,
        mergeable_ranks={token: i for i, token in enumerate(tokens)},
        special_tokens={name: len(tokens) + i for i, name in enumerate(special_tokens)},
    )


def save(tokens: list[bytes], pattern: str, special_tokens: list[str], folder: Path) -> Path:
    """Write ``tokenizer.json`` into the folder, whole or not at all."""
    fields = {
        "format": FORMAT,
        "pattern": pattern,
        "special_tokens": special_tokens,
        "tokens": [token.hex() for token in tokens],
    }
    text = json.dumps({**fields, "sha256": digest(fields)}, indent=0)
    with replacing(folder / FILE) as new:
        new.write_text(text + "\n", encoding="utf-8")
    return folder / FILE


def digest(fields: Mapping[str, object]) -> str:
    """sha256 of the fields, however they are laid out."""
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


def load(folder: Path) -> tuple[list[bytes], str, list[str]]:
    """Tokens, pattern and special tokens of ``tokenizer.json``, checked; ValueError says what is wrong."""
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"no tokenizer at {path}{hint(folder)}")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        expected = fields.pop("sha256")
        found = digest(fields)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} can't be read ({error}): it is cut off or no tokenizer; train it again") from error
    if found != expected:
        raise ValueError(f"{path} was changed: its sha256 is {found}, and it says {expected}; train it again")
    if fields.get("format") != FORMAT:
        raise ValueError(f"{path} has the format {fields.get('format')!r}; this reads {FORMAT!r}")
    tokens = [bytes.fromhex(token) for token in fields["tokens"]]
    if wrong := problem(tokens):
        raise ValueError(f"{path} is no byte-level vocabulary: {wrong}; train it again")
    return tokens, fields["pattern"], fields["special_tokens"]


def hint(folder: Path) -> str:
    """What to do where there is no tokenizer."""
    if (folder / "tokenizer.pkl").exists():
        return ", only a tokenizer.pkl: a pickle can run any code when it is read, so it is not; train one instead"
    return ": train one with 'python -m nanochat.tokenizer'"


def problem(tokens: list[bytes]) -> str | None:
    """What keeps these from being bytes and merges of earlier tokens, or None."""
    if tokens[:BYTES] != [bytes([i]) for i in range(BYTES)]:
        return f"its first {BYTES} tokens are not the bytes in order"
    earlier = set(tokens[:BYTES])
    for i, token in enumerate(tokens[BYTES:], BYTES):
        if token in earlier:
            return f"token {i} ({token!r}) is there twice"
        if not any(token[:k] in earlier and token[k:] in earlier for k in range(1, len(token))):
            return f"token {i} ({token!r}) is no merge of two earlier ones"
        earlier.add(token)
    return None
