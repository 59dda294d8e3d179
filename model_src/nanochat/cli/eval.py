"""What a model can do, in numbers: how many questions of each task it answers rightly, and how sure that is.

    python -m nanochat eval base_checkpoints mid_checkpoints sft_checkpoints rl_checkpoints

prints a report card: a row for each task, a column for each checkpoint. Answers are the likeliest ones, so a
checkpoint has the same card every time.
"""

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from nanochat.engine import Engine
from nanochat.gpt import GPT
from nanochat.tasks.mixture import generated
from nanochat.tasks.task import Conversation, Task
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.loading import load

Z = 1.96  # standard deviations to both sides have 95 % of a normal distribution


@dataclass(frozen=True)
class Score:
    """How many questions were answered rightly."""

    right: int
    asked: int
    baseline: float = 0.0   # the accuracy of guessing

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.asked

    @property
    def interval(self) -> tuple[float, float]:
        """Where the accuracy on endless questions lies, in 95 of 100 cases (Wilson, 1927)."""
        n, p = self.asked, self.accuracy
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, min(p, middle - half)), min(1.0, max(p, middle + half))  # rounding may lead beyond p

    @property
    def centred(self) -> float:
        """0 for guessing, 1 for all right."""
        return (self.accuracy - self.baseline) / (1 - self.baseline)


Card = Mapping[str, Score]  # of one model, by task


def core(card: Card) -> float:
    """The mean of the centred scores: what CORE (Li et al., 2024) and ChatCORE are, of other tasks."""
    return sum(score.centred for score in card.values()) / len(card)


def report_card(cards: Mapping[str, Card]) -> str:
    """A Markdown table: a row for each task, a column for each model, accuracies with their intervals in per cent."""
    tasks = list(next(iter(cards.values())))
    rows = [["", *cards], ["---"] * (1 + len(cards))]
    rows += [[task, *(shown(card[task]) for card in cards.values())] for task in tasks]
    rows.append(["mean, centred", *(f"{core(card):.3f}" for card in cards.values())])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def shown(score: Score) -> str:
    """``62 (52-71)``."""
    low, high = score.interval
    return f"{100 * score.accuracy:.0f} ({100 * low:.0f}-{100 * high:.0f})"


def score_task(model: GPT, tokenizer: RustBPETokenizer, task: Task, max_tokens: int = 64, batch: int = 32) -> Score:
    """Ask all questions of a task."""
    model.eval()
    questions = [task[number] for number in range(len(task))]
    if task.eval_type == "categorical":
        answers = choose(model, tokenizer, questions, batch)
        baseline = sum(1 / len(question["letters"]) for question in questions) / len(questions)
    else:
        answers = answer(Engine(model, tokenizer), tokenizer, questions, max_tokens, batch)
        baseline = 0.0
    right = sum(task.evaluate(question, text) for question, text in zip(questions, answers, strict=True))
    return Score(right, len(questions), baseline)


@torch.inference_mode()
def choose(model: GPT, tokenizer: RustBPETokenizer, questions: Sequence[Conversation], batch: int) -> list[str]:
    """For each multiple-choice question the letter that the model finds likeliest of those it may choose from."""
    bos, device = tokenizer.get_bos_token_id(), model.get_device()
    prompts = [tokenizer.render_for_completion(question) for question in questions]
    chosen = []
    for start in range(0, len(prompts), batch):
        few = prompts[start : start + batch]
        longest = max(map(len, few))
        rows = [prompt + [bos] * (longest - len(prompt)) for prompt in few]  # what follows can't be seen
        logits = model(torch.tensor(rows, device=device))                    # (B, T, V)
        for row, prompt in enumerate(few):
            letters = questions[start + row]["letters"]
            ids = [tokenizer.encode(letter)[0] for letter in letters]
            chosen.append(letters[logits[row, len(prompt) - 1, ids].argmax().item()])
    return chosen


def answer(
    engine: Engine, tokenizer: RustBPETokenizer, questions: Sequence[Conversation], max_tokens: int, batch: int
) -> list[str]:
    """For each question what the model writes, always the likeliest token.

    Questions of equal length are answered together: they share one cache.
    """
    prompts = [tokenizer.render_for_completion(question) for question in questions]
    answers = [""] * len(prompts)
    by_length = sorted(range(len(prompts)), key=lambda number: len(prompts[number]))
    for few in equal_lengths(by_length, prompts, batch):
        length = len(prompts[few[0]])
        sequences, _ = engine.generate_batch([prompts[number] for number in few], max_tokens=max_tokens, temperature=0)
        for number, sequence in zip(few, sequences, strict=True):
            answers[number] = tokenizer.decode(sequence[length:])
    return answers


def equal_lengths(numbers: Sequence[int], prompts: Sequence[Sequence[int]], batch: int) -> Iterable[list[int]]:
    """Numbers in runs of at most ``batch`` whose prompts are equally long; they come sorted by length."""
    few: list[int] = []
    for number in numbers:
        if few and (len(few) == batch or len(prompts[number]) != len(prompts[few[0]])):
            yield few
            few = []
        few.append(number)
    if few:
        yield few


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat eval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", type=Path, nargs="+", metavar="CHECKPOINTS", help="folders with checkpoints")
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("--questions", type=int, default=100, help="of each task (default: 100)")
    parser.add_argument("--max-tokens", type=int, default=64, help="of an answer, at most (default: 64)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    options = parser.parse_args(argv)
    if options.questions < 1 or options.max_tokens < 1:
        parser.error("--questions and --max-tokens are 1 or more")
    return options


def run(options: argparse.Namespace) -> None:
    tasks = generated("test", options.questions)
    cards = {}
    for folder in options.folders:
        model, tokenizer = load(folder, None, options.tokenizer, options.device)
        cards[folder.name] = {
            name: score_task(model, tokenizer, task, options.max_tokens) for name, task in tasks.items()
        }
    print(report_card(cards), end="")


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"eval: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
