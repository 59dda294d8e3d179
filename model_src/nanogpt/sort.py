"""The book's task: sort six letters. Small enough to train in half a minute, hard enough to need attention.

Letters are tokens: A is 0, B is 1, C is 2. The model reads the word ``C B A B B C`` and writes ``A B B B C
C`` letter by letter. A training sequence is both, less the last letter; the targets are the same sequence one
step ahead. While the word is still being read there is nothing to predict, so those targets are -1, which the
loss ignores::

    idx      C B A B B C A B B B C        (B, T) with T = 11
    targets  - - - - - A B B B C C

There are 3**6 = 729 words. About a quarter is held out, to tell sorting from learning by heart.
"""

import itertools
import zlib
from collections.abc import Callable

import torch

from nanogpt.model import GPT, GPTConfig

LETTERS = "ABC"
LENGTH = 6  # letters of a word
WORD = "CBABBC"  # the word that the book follows through the model
IGNORED = -1

# The recipe. The task is that of minGPT's sorting demo; here the learning rate rises for a few steps, then
# falls in a straight line, which gets there in a third of the steps.
SEED = 3407
MAX_ITERS = 600
BATCH_SIZE = 64
LEARNING_RATE = 1e-3
WARMUP_ITERS = 20
MIN_LEARNING_RATE = 1e-4
BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.1
GRAD_CLIP = 1.0


def config() -> GPTConfig:
    """The sizes of the sorting GPT: 85,584 parameters."""
    return GPTConfig(
        block_size=2 * LENGTH - 1,
        vocab_size=len(LETTERS),
        n_layer=3,
        n_head=3,
        n_embd=48,
        dropout=0.0,
        bias=True,
    )


def encode(letters: str) -> torch.Tensor:
    """``"CAB"`` -> ids (1, 3). ValueError names a letter that is none."""
    unknown = sorted(set(letters) - set(LETTERS))
    if unknown:
        raise ValueError(f"{letters!r} holds {', '.join(unknown)}; the model knows {', '.join(LETTERS)}")
    return torch.tensor([[LETTERS.index(letter) for letter in letters]])


def decode(ids: torch.Tensor) -> str:
    """Ids (T,) or (1, T) -> letters; a target that is ignored is a dash."""
    return "".join("-" if i == IGNORED else LETTERS[i] for i in ids.flatten().tolist())


def all_words() -> torch.Tensor:
    """Every word there is: ids (729, 6), in alphabetical order."""
    return torch.tensor(list(itertools.product(range(len(LETTERS)), repeat=LENGTH)))


def pairs(words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Words (N, 6) -> idx and targets, (N, 11) each."""
    sequence = torch.cat((words, words.sort(dim=1).values), dim=1)
    targets = sequence[:, 1:].clone()
    targets[:, : LENGTH - 1] = IGNORED
    return sequence[:, :-1], targets


def all_examples() -> tuple[torch.Tensor, torch.Tensor]:
    """Every word with its answer: idx and targets, (729, 11) each."""
    return pairs(all_words())


def example(word: str) -> tuple[torch.Tensor, torch.Tensor]:
    """One word with its answer: idx and targets, (1, 11) each."""
    if len(word) != LENGTH:
        raise ValueError(f"{word!r} has {len(word)} letters; the model sorts {LENGTH}")
    return pairs(encode(word))


def is_held_out(words: torch.Tensor) -> torch.Tensor:
    """Which of the words (N, 6) are kept for testing: (N,) bool.

    A checksum decides, the same on every machine; Python's ``hash`` of bytes changes from process to process.
    """
    return torch.tensor([zlib.crc32(bytes(word)) % 4 == 0 for word in words.tolist()])


def get_lr(step: int) -> float:
    """The learning rate of a step: a short rise, then a straight fall, never below the least."""
    rise = min(1.0, (step + 1) / WARMUP_ITERS)
    return max(MIN_LEARNING_RATE, LEARNING_RATE * rise * (1 - step / MAX_ITERS))


def train(
    report: Callable[..., None] | None = None, prepare: Callable[[GPT], None] | None = None
) -> GPT:
    """Train a fresh model on the words that are not held out, and return it in eval mode.

    ``report(step, loss=..., grad_norm=...)`` is called every ten steps; ``prepare(model)`` before the first, for
    experiments. The weights depend on the seed, on PyTorch and on the number of threads; the caller's random
    numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        model = GPT(config())
        if prepare:
            prepare(model)
        optimizer = model.configure_optimizers(WEIGHT_DECAY, LEARNING_RATE, BETAS, "cpu")
        words = all_words()
        idx, targets = pairs(words[~is_held_out(words)])
        for step in range(MAX_ITERS):
            for group in optimizer.param_groups:
                group["lr"] = get_lr(step)
            batch = torch.randint(len(idx), (BATCH_SIZE,))
            _, loss = model(idx[batch], targets[batch])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(model.parameters(), GRAD_CLIP)
            optimizer.step()
            if report and (step % 10 == 0 or step == MAX_ITERS - 1):
                report(step, loss=loss.item(), grad_norm=norm.item())
    return model.eval()


@torch.no_grad()
def sort_words(model: GPT, words: torch.Tensor) -> torch.Tensor:
    """Let the model write the answers, always its likeliest letter: words (N, 6) -> (N, 6)."""
    idx = words
    for _ in range(LENGTH):
        logits, _ = model(idx)
        idx = torch.cat((idx, logits[:, -1].argmax(dim=-1, keepdim=True)), dim=1)
    return idx[:, LENGTH:]


def accuracy(model: GPT, words: torch.Tensor | None = None) -> float:
    """The share of words (all 729 by default) that the model sorts without a mistake."""
    words = all_words() if words is None else words
    right = sort_words(model, words) == words.sort(dim=1).values
    return right.all(dim=1).sum().item() / len(words)


def evaluate(model: GPT) -> dict[str, float]:
    """Accuracy on all words, on those that were trained on and on those that were not."""
    words = all_words()
    held_out = is_held_out(words)
    return {
        "accuracy": accuracy(model, words),
        "accuracy_trained": accuracy(model, words[~held_out]),
        "accuracy_held_out": accuracy(model, words[held_out]),
    }
