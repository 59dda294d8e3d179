"""The tokenizer: byte-level BPE, trained by rustbpe, run by tiktoken, with nine special tokens after the merges.

    python -m nanochat.tokenizer --vocab-size 2048        trains on the shards of nanochat.dataset

``bpe`` learns the same merges in plain Python; ``vocabulary`` keeps them in a file that runs no code.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tiktoken
from tqdm import tqdm

from nanochat.chat.conversation import render
from nanochat.data import bpe, corpus, vocabulary
from nanochat.dataset import documents
from nanochat.files import get_base_dir

if TYPE_CHECKING:
    import torch

SPECIAL_TOKENS = [
    "<|bos|>",  # before every document and every conversation
    "<|user_start|>",
    "<|user_end|>",
    "<|assistant_start|>",
    "<|assistant_end|>",  # where sampling stops
    "<|python_start|>",  # the assistant asks the calculator
    "<|python_end|>",
    "<|output_start|>",  # what the calculator answers
    "<|output_end|>",
]
SPLIT_PATTERN = bpe.SPLIT_PATTERN
GREEN, RED, GREY, PLAIN = "\033[92m", "\033[91m", "\033[90m", "\033[0m"


class RustBPETokenizer:
    """Text to token ids and back."""

    def __init__(self, enc: tiktoken.Encoding, bos_token: str) -> None:
        self.enc = enc
        self.special_ids = {name: enc.encode_single_token(name) for name in sorted(enc.special_tokens_set)}
        self.bos_token_id = self.encode_special(bos_token)

    @classmethod
    def train_from_iterator(
        cls, text_iterator: Iterable[str], vocab_size: int, pattern: str = SPLIT_PATTERN
    ) -> "RustBPETokenizer":
        """Learn ``vocab_size`` tokens, the special ones among them; fewer where a small corpus has no more pairs."""
        least = bpe.BYTES + len(SPECIAL_TOKENS)
        if vocab_size < least:
            raise ValueError(f"vocab_size={vocab_size}: bytes and special tokens alone are {least}; ask for more")
        tokens = vocabulary.learn(text_iterator, vocab_size - len(SPECIAL_TOKENS), pattern)
        return cls(vocabulary.build(tokens, pattern, SPECIAL_TOKENS), "<|bos|>")

    @classmethod
    def from_directory(cls, tokenizer_dir: str | Path) -> "RustBPETokenizer":
        """Read what ``save`` wrote; ValueError where it was changed or cut off."""
        return cls(vocabulary.build(*vocabulary.load(Path(tokenizer_dir))), "<|bos|>")

    @classmethod
    def from_pretrained(cls, tiktoken_name: str) -> "RustBPETokenizer":
        """One of tiktoken's own, such as 'gpt2': to compare with. Its BOS is <|endoftext|>, it can't chat."""
        try:
            enc = tiktoken.get_encoding(tiktoken_name)
        except ValueError:
            raise  # the name is unknown, and tiktoken lists those that it has
        except Exception as error:  # whatever its downloader raises
            raise RuntimeError(
                f"tiktoken's files of {tiktoken_name!r} are not at hand: name the folder that has them in "
                f"TIKTOKEN_CACHE_DIR, or go online once ({type(error).__name__}: {error})"
            ) from error
        return cls(enc, "<|endoftext|>")

    def get_vocab_size(self) -> int:
        """Tokens in all, with the special ones."""
        return self.enc.n_vocab

    def get_special_tokens(self) -> set[str]:
        """The names of the special tokens."""
        return set(self.special_ids)

    def id_to_token(self, id: int) -> str:
        """The text of one token; where its bytes are no UTF-8 alone, U+FFFD."""
        return self.enc.decode([id])

    def encode_special(self, text: str) -> int:
        """The id of a special token."""
        if text not in self.special_ids:
            raise ValueError(f"{text!r} is no special token here; there are {', '.join(self.special_ids)}")
        return self.special_ids[text]

    def get_bos_token_id(self) -> int:
        """The token that begins every document."""
        return self.bos_token_id

    def encode(
        self,
        text: str | list[str],
        prepend: int | str | None = None,
        append: int | str | None = None,
        num_threads: int = 8,
    ) -> Any:
        """The ids of a text, or a list of ids for each text of a list. ``prepend`` and ``append`` are special tokens.

        A special token that a text spells out is plain text: nobody can start a turn by typing one.
        """
        before, after = self.special_list(prepend), self.special_list(append)
        if isinstance(text, str):
            return before + self.enc.encode_ordinary(text) + after
        if not isinstance(text, list):
            raise ValueError(f"can't encode a {type(text).__name__}: a string or a list of strings is needed")
        batch = self.enc.encode_ordinary_batch(text, num_threads=num_threads)
        return [before + ids + after for ids in batch]

    __call__ = encode

    def special_list(self, token: int | str | None) -> list[int]:
        """A special token by name or id, or none, as a list of ids."""
        if token is None:
            return []
        return [token if isinstance(token, int) else self.encode_special(token)]

    def decode(self, ids: list[int]) -> str:
        """The text of tokens; special ones show their names."""
        return self.enc.decode(ids)

    def decode_single_token_bytes(self, id: int) -> bytes:
        """The bytes of one token."""
        return self.enc.decode_single_token_bytes(id)

    def tokens(self) -> list[bytes]:
        """The bytes of all tokens but the special ones, in order of their ids."""
        return [self.decode_single_token_bytes(id) for id in range(self.enc.n_vocab - len(self.special_ids))]

    def save(self, tokenizer_dir: str | Path) -> Path:
        """Write ``tokenizer.json`` into the folder."""
        names = sorted(self.special_ids, key=self.special_ids.__getitem__)
        return vocabulary.save(self.tokens(), self.enc._pat_str, names, Path(tokenizer_dir))

    def render_conversation(self, conversation: dict[str, Any], max_tokens: int = 2048) -> tuple[list[int], list[int]]:
        """The ids of a conversation and its mask, 1 where the assistant is to learn; both cut to ``max_tokens``."""
        ids, mask = render(conversation, self.encode, self.encode_special)
        return ids[:max_tokens], mask[:max_tokens]

    def render_for_completion(self, conversation: dict[str, Any]) -> list[int]:
        """The ids up to the assistant's last turn, whose message is left out: the model is to write it."""
        *messages, last = conversation.get("messages") or [{}]
        if last.get("role") != "assistant":
            raise ValueError(f"the last message is for the assistant to write, this one's role is {last.get('role')!r}")
        ids, _ = self.render_conversation({"messages": messages})
        return [*ids, self.encode_special("<|assistant_start|>")]

    def visualize_tokenization(self, ids: list[int], mask: list[int], with_token_id: bool = False) -> str:
        """The tokens for a terminal, green where the mask is 1, else red."""
        shown = []
        for id, learned in zip(ids, mask, strict=True):
            number = f"{GREY}({id}){PLAIN}" if with_token_id else ""
            shown.append(f"{GREEN if learned else RED}{self.id_to_token(id)}{PLAIN}{number}")
        return "|".join(shown)


def get_tokenizer(folder: str | Path | None = None) -> RustBPETokenizer:
    """The trained tokenizer: of the given folder, else of ``tokenizer`` in the base folder."""
    return RustBPETokenizer.from_directory(folder if folder is not None else get_base_dir() / "tokenizer")


def bytes_per_token(tokenizer: RustBPETokenizer, texts: Iterable[str]) -> float:
    """UTF-8 bytes of the texts for each of their tokens; special tokens are not counted."""
    size = tokens = 0
    for text in texts:
        size += len(text.encode())
        tokens += len(tokenizer.encode(text))
    return size / tokens


def token_bytes(tokenizer: RustBPETokenizer) -> list[int]:
    """For each token its length in bytes, 0 for the special ones, which stand for no text."""
    special = set(tokenizer.special_ids.values())
    ids = range(tokenizer.get_vocab_size())
    return [0 if id in special else len(tokenizer.decode_single_token_bytes(id)) for id in ids]


def get_token_bytes(device: str = "cpu", folder: str | Path | None = None) -> "torch.Tensor":
    """``token_bytes`` of the trained tokenizer as int32, (V,): bits per byte are computed with it."""
    import torch  # takes seconds, and nothing else here needs it

    return torch.tensor(token_bytes(get_tokenizer(folder)), dtype=torch.int32, device=device)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat.tokenizer", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vocab-size", type=int, default=32768, help="tokens in all (default: 32768)")
    parser.add_argument("--max-chars", type=int, default=corpus.MAX_CHARS, help="characters to train on (default: 2e9)")
    parser.add_argument("--doc-cap", type=int, default=corpus.DOC_CAP, help="characters of a document (default: 1e4)")
    parser.add_argument("--data", type=Path, help="the shards (default: base_data in $NANOCHAT_BASE_DIR)")
    parser.add_argument("--out", type=Path, help="where it goes (default: tokenizer in $NANOCHAT_BASE_DIR)")
    options = parser.parse_args(argv)
    for name in ("max_chars", "doc_cap"):
        if getattr(options, name) < 1:
            parser.error(f"--{name.replace('_', '-')} must be 1 or more")
    return options


def run(options: argparse.Namespace) -> None:
    out = options.out if options.out is not None else get_base_dir() / "tokenizer"
    started = time.perf_counter()
    with tqdm(documents("train", options.data), unit=" documents", disable=None) as texts:
        wanted = corpus.capped(texts, options.max_chars, options.doc_cap)
        tokenizer = RustBPETokenizer.train_from_iterator(wanted, options.vocab_size)
    print(f"{tokenizer.get_vocab_size():,} tokens learned in {time.perf_counter() - started:.1f} s")
    if tokenizer.get_vocab_size() < options.vocab_size:
        print(f"note: {options.vocab_size:,} were asked for, but there are no more pairs in this corpus")
    refuse_another(tokenizer, out)
    path = tokenizer.save(out)
    held_out = bytes_per_token(tokenizer, documents("val", options.data))
    print(f"{path}: {held_out:.2f} bytes per token on the validation documents")


def refuse_another(tokenizer: RustBPETokenizer, out: Path) -> None:
    """Raise ValueError where the folder holds a different tokenizer: models may have been trained with it."""
    if (out / vocabulary.FILE).exists() and get_tokenizer(out).tokens() != tokenizer.tokens():
        raise ValueError(
            f"{out} holds a tokenizer that was trained otherwise, and models may need it: name another folder "
            "with --out, or delete it"
        )


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, OSError) as error:
        raise SystemExit(f"tokenizer: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
