"""Train the book's model that sorts six letters, and keep it as nanoGPT keeps its models.

    python -m nanogpt.train_sort
    python -m nanogpt.sample --out_dir=out-sort --start=CBABBC --max_new_tokens=6 --top_k=1 --num_samples=1

The first writes ``out-sort/ckpt.pt`` and the three letters as ``data/sort/meta.pkl``, the second sorts a word with
them. The recipe is that of ``sort``; so small a model is as fast on a processor as on anything else. ``--check=False``
leaves out the look at memory and disk before it.
"""

import pickle
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from nanogpt import checkpoint, sort
from nanogpt.configurator import OptionError, configure
from nanogpt.entry import look, recorded, without_check
from nanogpt.logs import TensorBoard

DATASET = "sort"


@dataclass(frozen=True)
class SortOptions:
    """What can be set."""

    out_dir: str = "out-sort"
    tensorboard: bool = False  # write a log for TensorBoard to out_dir/tensorboard


def train(options: SortOptions) -> dict[str, float]:
    """Train, save, and return the shares of words that are sorted without a mistake."""
    path = Path(options.out_dir, checkpoint.NAME)
    if path.exists():
        raise OptionError(f"{path} is there already: name another folder with --out_dir=FOLDER, or delete it")
    with ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=sort.MAX_ITERS, unit="step", disable=None))
        log: Callable[..., None] = silent
        if options.tensorboard:
            log = stack.enter_context(closing(TensorBoard(Path(options.out_dir, "tensorboard"))))

        def report(step: int, **values: float) -> None:
            bar.update(step + 1 - bar.n)
            bar.set_postfix(loss=f"{values['loss']:.4f}", refresh=False)
            log(step, **values)

        model = sort.train(report)
    found = sort.evaluate(model)
    write_letters(Path("data", DATASET))
    kept = {"model": model.state_dict(), "optimizer": {}, "model_args": asdict(model.config)}
    loss = torch.tensor(model(*sort.all_examples())[1].item())
    checkpoint.save(
        options.out_dir, {**kept, "iter_num": sort.MAX_ITERS, "best_val_loss": loss, "config": {"dataset": DATASET}}
    )
    sorted_ = f"{found['accuracy']:.1%} of all words, {found['accuracy_held_out']:.1%} of those held out"
    print(f"saved {path}: sorts {sorted_}")
    return found


def write_letters(folder: Path) -> None:
    """The three letters as ``meta.pkl``, by which ``nanogpt.sample`` reads and writes them."""
    letters = dict(enumerate(sort.LETTERS))
    meta = {"vocab_size": len(letters), "itos": letters, "stoi": {letter: i for i, letter in letters.items()}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "meta.pkl").write_bytes(pickle.dumps(meta))


def silent(step: int, **values: float) -> None:
    """Tells nobody."""


def command(argv: list[str]) -> None:
    """The training that a command line asks for."""
    argv, looks = without_check(argv)
    options = configure(SortOptions(), argv, str(__doc__))
    if looks:
        look("nanogpt.train_sort", options)
    train(options)


def main(argv: list[str]) -> None:
    try:
        recorded(command)(argv)
    except (OptionError, ValueError, OSError) as error:
        raise SystemExit(f"train_sort: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
