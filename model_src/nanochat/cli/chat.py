"""Chat with a trained model in the terminal.

    python -m nanochat chat CHECKPOINTS
    python -m nanochat chat CHECKPOINTS --prompt "How many r are in strawberry?"

An answer appears as it is written; Ctrl-C stops it. ``clear`` begins a new conversation, ``quit``, ``exit`` or Ctrl-D
ends. What the model reads and writes are token ids: they are kept from turn to turn as they are.
"""

import argparse
import contextlib
import sys
from pathlib import Path

from nanochat.chat.turns import Answer, History, Speaker, as_text
from nanochat.engine import Engine
from nanochat.training.loading import load

INTERRUPTED = 130  # what a shell reports of a command that Ctrl-C ended
CUT_OFF = {
    "max_tokens": "cut off after {} tokens: --max-tokens allows more",
    "context": "cut off after {} tokens: the model can't see more at once",
    "stopped": "stopped after {} tokens",
}


def note(text: str) -> None:
    """Tell the user something that no model wrote; a file with the answer stays free of it."""
    print(f"({text})", file=sys.stderr, flush=True)


def say(answer: Answer) -> None:
    """Print an answer as it comes, and how it ended, if not by itself. Ctrl-C stops it."""
    with contextlib.suppress(KeyboardInterrupt):
        for text in as_text(answer):
            print(text, end="", flush=True)
    print(flush=True)
    if answer.reason in CUT_OFF:
        note(CUT_OFF[answer.reason].format(len(answer.ids)))


class Chat:
    """A conversation with a speaker."""

    def __init__(self, speaker: Speaker, options: argparse.Namespace) -> None:
        self.speaker = speaker
        self.options = options
        self.history = History(speaker.tokenizer)
        self.asked = 0

    def ask(self, text: str, before: str = "") -> Answer:
        """Print the answer to what the user says. After a ValueError the conversation is what it was before."""
        before_this = list(self.history.turns)
        self.history.ask(text)
        most, context = self.options.max_tokens, self.speaker.context
        dropped = self.history.fit(context - min(most, context // 4))  # a quarter of it is room for the answer
        drawn = {"temperature": self.options.temperature, "top_k": self.options.top_k, "top_p": self.options.top_p}
        try:
            answer = self.speaker.answer(self.history.tokens(), most, seed=self.options.seed + self.asked, **drawn)
            if dropped:
                turns = "turn" if dropped == 1 else f"{dropped} turns"
                note(f"the model sees {context:,} tokens at once: from here on without the oldest {turns}")
            print(before, end="", flush=True)
            say(answer)
        except ValueError:
            self.history.turns = before_this
            raise
        self.asked += 1  # the same question, asked again, may get another answer
        self.history.answered(answer.ids)
        return answer

    def read(self) -> str | None:
        """What the user types, None at the end. Ctrl-C leaves a line."""
        try:
            return input("\nyou> ").strip()
        except KeyboardInterrupt:
            print()
            note("Ctrl-D or quit ends")
            return ""
        except EOFError:
            print()
            return None

    def talk(self) -> None:
        """Take turns until the user ends."""
        while (text := self.read()) not in (None, "quit", "exit"):
            if text == "clear":
                self.history.turns.clear()
                note("a new conversation")
            elif text:
                try:
                    self.ask(text, before="\nassistant> ")
                except ValueError as error:
                    note(str(error))


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat chat", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="CHECKPOINTS", help="where the checkpoints are")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the last one)")
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("-p", "--prompt", help="answer this alone, and end")
    heat = "below 1 safer, above bolder, 0: the likeliest (default: 0.6)"
    parser.add_argument("-t", "--temperature", type=float, default=0.6, help=heat)
    best = "draw among so many best tokens, 0: all (default: 50)"
    parser.add_argument("-k", "--top-k", type=int, default=50, help=best)
    parser.add_argument("--top-p", type=float, help="draw among the fewest tokens so likely together (default: all)")
    parser.add_argument("--max-tokens", type=int, default=256, help="of an answer, at most (default: 256)")
    parser.add_argument("--seed", type=int, default=42, help="of the first answer; the next has the next (default: 42)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    options = parser.parse_args(argv)
    if not 0 <= options.temperature < float("inf") or options.top_k < 0 or options.max_tokens < 1:
        parser.error("--temperature and --top-k are 0 or more, --max-tokens is 1 or more")
    if options.top_p is not None and not 0 < options.top_p <= 1:
        parser.error("--top-p is more than 0 and at most 1")
    return options


def run(options: argparse.Namespace) -> None:
    model, tokenizer = load(options.folder, options.step, options.tokenizer, options.device)
    chat = Chat(Speaker(Engine(model, tokenizer), tokenizer, model.config.sequence_len), options)
    if options.prompt is None:
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - with it, input() edits a line and knows the ones before; not on Windows
        chat.talk()
    elif chat.ask(options.prompt).reason == "stopped":
        raise SystemExit(INTERRUPTED)


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"chat: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


if __name__ == "__main__":
    main(sys.argv[1:])
