"""From text to tokens on disk: ``train.bin``, ``val.bin`` (uint16, no header), for characters ``meta.pkl``.

    python -m nanogpt.data char INPUT.txt OUT_DIR     each character is a token
    python -m nanogpt.data gpt2 INPUT.txt OUT_DIR     GPT-2's byte pairs, by tiktoken

The first 90 % of the text are for training, the rest is for validation. The formats are nanoGPT's.
"""

import argparse
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TRAIN_SHARE = 0.9
SHAKESPEARE = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
PAIRS = ("shakespeare", "openwebtext")  # folders that nanoGPT's presets want in byte pairs
TOKEN = np.dtype("<u2")  # two bytes a token: ids up to 65,535


def prepare_char(text: str, folder: Path) -> dict[str, Any]:
    """Write both files and ``meta.pkl``; the vocabulary is the text's own characters, sorted."""
    characters = sorted(set(text))
    stoi = {character: i for i, character in enumerate(characters)}
    meta = {"vocab_size": len(characters), "itos": dict(enumerate(characters)), "stoi": stoi}
    cut = int(len(text) * TRAIN_SHARE)
    for split, part in (("train", text[:cut]), ("val", text[cut:])):
        write_tokens(folder, split, [stoi[character] for character in part])
    with (folder / "meta.pkl").open("wb") as file:
        pickle.dump(meta, file)
    return meta


def prepare_gpt2(text: str, folder: Path) -> None:
    """Write both files in GPT-2's vocabulary. Special tokens that the text spells out are plain text."""
    encoding = gpt2_encoding()
    cut = int(len(text) * TRAIN_SHARE)
    for split, part in (("train", text[:cut]), ("val", text[cut:])):
        write_tokens(folder, split, encoding.encode_ordinary(part))


def write_tokens(folder: Path, split: str, ids: list[int]) -> Path:
    """Write ``<split>.bin``."""
    if ids and max(ids) > np.iinfo(TOKEN).max:
        raise ValueError(f"token {max(ids)} doesn't fit into the two bytes of a .bin file")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{split}.bin"
    np.array(ids, dtype=TOKEN).tofile(path)
    print(f"{path}: {len(ids):,} tokens")
    return path


def read_tokens(folder: Path, split: str) -> np.ndarray:
    """``<split>.bin`` as an array of uint16 that stays on disk until it is read."""
    path = folder / f"{split}.bin"
    if not path.is_file():
        raise FileNotFoundError(f"no data at {path}: {how_to_make(folder)}")
    if path.stat().st_size == 0 or path.stat().st_size % TOKEN.itemsize:
        raise ValueError(f"{path} has {path.stat().st_size} bytes: empty or cut off, make it again")
    return np.memmap(path, dtype=TOKEN, mode="r")


def how_to_make(folder: Path) -> str:
    """What to type for the data of a folder; where its name asks for Shakespeare, with the text that is meant."""
    tokens = "gpt2" if folder.name in PAIRS else "char"
    typed = f"make it with 'python -m nanogpt.data {tokens} INPUT.txt {folder}'"
    if not folder.name.startswith("shakespeare"):
        return typed
    return f"{typed}. INPUT.txt may be any text; the one that nanoGPT takes is at {SHAKESPEARE}"


class PlainUnpickler(pickle.Unpickler):
    """Reads numbers, strings and containers; whatever would import or call something is refused."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}; only dicts, strings and numbers are read")


def read_meta(folder: Path) -> dict[str, Any] | None:
    """``meta.pkl`` (vocab_size, itos, stoi), or None where there is none."""
    path = folder / "meta.pkl"
    if not path.is_file():
        return None
    try:
        with path.open("rb") as file:
            meta = PlainUnpickler(file).load()
    except Exception as error:  # whatever a damaged or hostile file makes an unpickler raise
        raise ValueError(f"{path} can't be read: {error}") from error
    if not isinstance(meta, dict) or "vocab_size" not in meta:
        raise ValueError(f"{path} has no vocab_size: make it again with 'python -m nanogpt.data'")
    return meta


def codec(folder: Path) -> tuple[Callable[[str], list[int]], Callable[[list[int]], str]]:
    """How text becomes tokens and back: by ``meta.pkl`` where there is one, else GPT-2's byte pairs."""
    meta = read_meta(folder)
    if meta is None:
        encoding = gpt2_encoding()
        return lambda text: encoding.encode(text, allowed_special={"<|endoftext|>"}), encoding.decode
    if not meta.keys() >= {"stoi", "itos"}:
        raise ValueError(f"{folder / 'meta.pkl'} has no stoi or no itos: make it again with 'python -m nanogpt.data'")
    stoi, itos = meta["stoi"], meta["itos"]

    def encode(text: str) -> list[int]:
        unknown = sorted(set(text) - set(stoi))
        if unknown:
            raise ValueError(f"the model does not know the characters {unknown}, only {sorted(stoi)}")
        return [stoi[character] for character in text]

    return encode, lambda ids: "".join(itos[i] for i in ids)


def gpt2_encoding() -> Any:
    """tiktoken's GPT-2, which fetches its two files once; where it can't, the error says what to do."""
    try:
        import tiktoken
    except ImportError as error:
        raise RuntimeError("GPT-2's byte pairs need tiktoken: pip install tiktoken") from error
    try:
        return tiktoken.get_encoding("gpt2")
    except Exception as error:  # whatever its downloader raises
        raise RuntimeError(
            "GPT-2's byte pairs are not at hand: tiktoken needs its two files, vocab.bpe and encoder.json. "
            "Put them into a folder, name it in TIKTOKEN_CACHE_DIR, or go online once. "
            f"({type(error).__name__}: {error})"
        ) from error


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanogpt.data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tokens", choices=("char", "gpt2"), help="what a token is: a character, or GPT-2's byte pairs")
    parser.add_argument("text", type=Path, metavar="INPUT.txt", help="a text file, UTF-8")
    parser.add_argument("folder", type=Path, metavar="OUT_DIR", help="where the files go: data/NAME for --dataset=NAME")
    return parser.parse_args(argv)


def read_text(path: Path) -> str:
    """The text of a file; an error says why it can't be trained on."""
    if not path.is_file():
        raise FileNotFoundError(f"no text at {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")  # without the mark that some editors put before the text
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start:,} is no UTF-8 ({error.reason}); convert it to UTF-8") from error
    if not text.strip():
        raise ValueError(f"{path} is empty")
    return text


def refuse_another(folder: Path) -> None:
    """Raise ValueError where a folder has tokens already: a model may have been trained on them."""
    if there := [name for name in ("train.bin", "val.bin", "meta.pkl") if (folder / name).exists()]:
        raise ValueError(f"{folder} holds {', '.join(there)} already: name another folder, or delete that one")


def main(argv: list[str]) -> None:
    options = parse(argv)
    try:
        text = read_text(options.text)
        refuse_another(options.folder)
        if options.tokens == "char":
            print(f"vocabulary: {prepare_char(text, options.folder)['vocab_size']} characters")
        else:
            prepare_gpt2(text, options.folder)
    except (ValueError, RuntimeError, OSError) as error:
        raise SystemExit(f"data: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
