"""The chat in the terminal: what is printed, what the model reads from turn to turn, and what stops it."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nanochat.chat.conversation import render
from nanochat.chat.turns import History, Piece, Reader, Speaker, as_text
from nanochat.cli import chat
from nanochat.common import ALONE
from nanochat.engine import Engine
from nanochat.gpt import GPT, GPTConfig
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.checkpoint import save_checkpoint, tokenizer_digest
from nanochat.training.loading import load

ROOT = Path(__file__).parents[2]
TOKENIZER = RustBPETokenizer.train_from_iterator(["hello world, hello hello"] * 4, 280)
SPECIAL, ENCODE = TOKENIZER.encode_special, TOKENIZER.encode
END = SPECIAL("<|assistant_end|>")
CALL = [SPECIAL("<|python_start|>"), *ENCODE("2*3"), SPECIAL("<|python_end|>")]
OUTPUT = [SPECIAL("<|output_start|>"), *ENCODE("6"), SPECIAL("<|output_end|>")]


class Script:
    """An engine that gives one answer after the other; an exception among the tokens is raised there."""

    def __init__(self, *answers: list[Any]) -> None:
        self.answers = list(answers)
        self.asked: list[list[int]] = []
        self.options: list[dict[str, Any]] = []
        self.closed = 0

    def generate(self, tokens: list[int], num_samples: int, **options: Any) -> Iterator[tuple[list[int], list[int]]]:
        self.asked.append(tokens)
        self.options.append(options)
        try:
            for id in self.answers.pop(0)[: options["max_tokens"]]:
                if isinstance(id, BaseException):
                    raise id
                yield [id], [1]
        finally:
            self.closed += 1


Talk = Callable[..., str]


@pytest.fixture
def talk(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Talk:
    """``talk(script, "hi", ...)`` types lines, or raises what is typed, then Ctrl-D; all that was shown, in order."""

    def run(script: Script, *typed: str | BaseException, context: int = 1000, options: tuple[str, ...] = ()) -> str:
        lines = iter([*typed, EOFError()])

        def type_a_line(prompt: str) -> str:
            line = next(lines)
            print(prompt, end="")
            if isinstance(line, BaseException):
                raise line
            return line

        monkeypatch.setattr("builtins.input", type_a_line)
        monkeypatch.setattr(sys, "stderr", sys.stdout)  # one stream, as on a terminal
        chat.Chat(Speaker(script, TOKENIZER, context), chat.parse(["out", *options])).talk()
        return capsys.readouterr().out

    return run


def rendered(*contents: Any) -> list[int]:
    roles = ("user", "assistant")
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(contents)]
    return [*render({"messages": messages}, ENCODE, SPECIAL)[0], SPECIAL("<|assistant_start|>")]


@given(st.text() | st.lists(st.integers(0, TOKENIZER.get_vocab_size() - 1)))
def test_pieces_are_whole_characters_and_nothing_is_missing(found: str | list[int]) -> None:
    ids = ENCODE(found) if isinstance(found, str) else found
    reader = Reader(TOKENIZER)
    pieces = [*(piece for id in ids for piece in reader.read(id)), *reader.end()]
    if isinstance(found, str):
        assert {piece.kind for piece in pieces} <= {"text"} and "".join(piece.text for piece in pieces) == found
        assert all("\ufffd" not in piece.text for piece in pieces) or "\ufffd" in found
    elif not {*reader.opens, *reader.closes} & set(ids):
        assert "".join(piece.text for piece in pieces) == TOKENIZER.decode(ids)


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([("text", "so "), ("python", ""), ("python", "2"), ("python", "*3"), ("python_output", ""),
          ("python_output", "6"), ("text", "!")], "so [calculator: 2*3 = 6]!"),
        ([("python", ""), ("python", "x"), ("text", " so")], "[calculator: x] so"),  # it had no answer
        ([("python", ""), ("python", "1"), ("python", ""), ("python", "2")], "[calculator: 1][calculator: 2]"),
        ([("python_output", ""), ("python_output", "6")], "[calculator: 6]"),
        ([("text", "a\x1b[2J\r\0\x7f\x9b\tb\nc")], "a␛[2J␍␀␡\ufffd\tb\nc"),  # nothing steers the terminal
        ([], ""),
    ],
)  # fmt: skip
def test_a_terminal_shows_the_tool_and_no_control_character(pieces: list[tuple[str, str]], shown: str) -> None:
    assert "".join(as_text(Piece(*piece) for piece in pieces)) == shown


def test_a_conversation_is_kept_as_the_model_has_written_it(talk: Talk) -> None:
    first = [*ENCODE("hell"), *ENCODE("o "), *CALL, *OUTPUT]  # not the tokens that its text would be
    assert first[:2] != ENCODE("hello ")[:2]
    script = Script([*first, END], [*ENCODE("fine"), SPECIAL("<|bos|>"), *ENCODE("never read")], [END])
    shown = talk(script, "  hi ", "", "and you?", "bye", "quit", "never asked")
    assert shown == (
        "\nyou> \nassistant> hello [calculator: 2*3 = 6]\n\nyou> "
        "\nyou> \nassistant> fine\n\nyou> \nassistant> \n\nyou> "
    )
    start = rendered("hi")
    assert script.asked[0] == start
    second = [*start, *first, END, *rendered("and you?")[1:]]  # one BOS begins it
    assert script.asked[1] == second
    assert script.asked[2] == [*second, *ENCODE("fine"), END, *rendered("bye")[1:]]
    assert script.closed == 3


def test_options_reach_the_engine_and_each_answer_has_a_seed_of_its_own(talk: Talk) -> None:
    script = Script([END], [END])
    talk(script, "a", "b", "exit")
    expected = {"max_tokens": 256, "temperature": 0.6, "top_k": 50, "top_p": None}
    assert script.options == [{**expected, "seed": 42}, {**expected, "seed": 43}]
    script = Script([END])
    talk(script, "a", options=("-t", "0", "-k", "0", "--top-p", "0.9", "--max-tokens", "7", "--seed", "5"))
    assert script.options == [{"max_tokens": 7, "temperature": 0.0, "top_k": 0, "top_p": 0.9, "seed": 5}]


def test_clear_begins_anew(talk: Talk) -> None:
    script = Script([END], [END])
    assert "(a new conversation)" in talk(script, "a", "clear", "b")
    assert script.asked == [rendered("a"), rendered("b")]


def test_ctrl_c_stops_the_answer_and_what_was_said_stays_said(talk: Talk) -> None:
    script = Script([*ENCODE("hello"), KeyboardInterrupt(), *ENCODE("no")], [END])
    shown = talk(script, "a", KeyboardInterrupt(), "b")
    assert "assistant> hello\n(stopped after 1 tokens)\n" in shown and "(Ctrl-D or quit ends)" in shown
    assert script.asked[1] == [*rendered("a"), *ENCODE("hello"), END, *rendered("b")[1:]]
    assert script.closed == 2


def test_an_answer_that_is_cut_off_is_closed_and_noted(talk: Talk) -> None:
    script = Script(ENCODE("abc"), [END])
    shown = talk(script, "a", "b", options=("--max-tokens", "2"))
    assert "ab\n(cut off after 2 tokens: --max-tokens allows more)" in shown
    assert script.asked[1] == [*rendered("a"), *ENCODE("ab"), END, *rendered("b")[1:]]
    room = len(rendered("a")) + 2
    shown = talk(Script(ENCODE("abc")), "a", context=room)
    assert "ab\n(cut off after 2 tokens: the model can't see more at once)" in shown


def test_the_oldest_turns_go_when_there_is_no_room_and_the_user_is_told(talk: Talk) -> None:
    turn = len(rendered("a")) - 1 + 2  # without the BOS, with an answer of one token and its end
    script = Script(*[[*ENCODE("x"), END]] * 4)
    shown = talk(script, "a", "b", "c", "d", context=3 * turn, options=("--max-tokens", "2"))
    assert shown.count("from here on without the oldest turn)") == 2
    kept = [*rendered("a"), *ENCODE("x"), END, *rendered("b")[1:]]
    assert script.asked[1] == kept
    assert script.asked[2] == [*rendered("b"), *ENCODE("x"), END, *rendered("c")[1:]]
    assert all(len(tokens) + 2 <= 3 * turn for tokens in script.asked)


def test_a_message_beyond_the_context_is_refused_and_the_conversation_goes_on(talk: Talk) -> None:
    script = Script([END], [END])
    shown = talk(script, "a", "x" * 30, "b", context=30, options=("--max-tokens", "2"))
    assert "(the conversation is 34 tokens long, and the model sees 30 at once, its answer among them: shorten" in shown
    assert "without the oldest" not in shown
    assert script.asked[1] == [*rendered("a"), END, *rendered("b")[1:]]


def test_an_engine_that_refuses_leaves_the_conversation_as_it_was(talk: Talk) -> None:
    script = Script([ValueError("no such token")], [END])
    assert "(no such token)" in talk(script, "a", "b")
    assert script.asked[1] == rendered("b")


@given(st.lists(st.text(max_size=5), min_size=1, max_size=6), st.integers(0, 60))
def test_a_history_drops_whole_turns_from_the_oldest_on(said: list[str], length: int) -> None:
    history = History(TOKENIZER)
    for text in said:
        history.ask(text)
        history.answered(ENCODE(text))
    before, turns = history.tokens(), list(history.turns)
    dropped = history.fit(length)
    assert history.turns == turns[dropped:] and history.turns
    assert len(history.tokens()) <= length or len(history.turns) == 1
    if dropped:
        assert len([*history.tokens(), *turns[dropped - 1]]) > length
    else:
        assert history.tokens() == before


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint of a model that has learned nothing, and its tokenizer."""
    folder = tmp_path_factory.mktemp("chat")
    TOKENIZER.save(folder / "tokenizer")
    sizes = {"vocab_size": 280, "n_layer": 1, "n_head": 2, "n_kv_head": 2, "n_embd": 16, "sequence_len": 64}
    torch.manual_seed(1)
    model = GPT(GPTConfig(**sizes))
    torch.nn.init.normal_(model.lm_head.weight)  # else all tokens are alike to it
    meta = {
        "model_config": asdict(model.config), "user_config": {"tokenizer": str(folder / "tokenizer")},
        "tokenizer": tokenizer_digest(TOKENIZER),
    }  # fmt: skip
    no_memories = SimpleNamespace(state_dict=lambda: {"state": {}})
    save_checkpoint(folder / "out", 2, model, no_memories, meta, ALONE)
    return folder


def test_one_shot_prints_the_answer_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    chat.main([str(place / "out"), "-p", "The number", "-t", "0", "--max-tokens", "12", "--device", "cpu"])
    out, err = capsys.readouterr()
    model, tokenizer = load(place / "out", device="cpu")
    history = History(tokenizer)
    history.ask("The number")
    (sequence,), _ = Engine(model, tokenizer).generate_batch(history.tokens(), max_tokens=12, temperature=0)
    answer = sequence[len(history.tokens()) :]
    reader = Reader(tokenizer)
    pieces = [*(piece for id in answer for piece in reader.read(id)), *reader.end()]
    assert out == "".join(as_text(pieces)) + "\n"
    assert ("cut off after 12 tokens" in err) == (len(answer) == 12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "no checkpoint at nowhere: train first, or name its folder"),
        (["out", "--step", "3"], "no checkpoint of step 3 at"),
        (["out", "--tokenizer", "nowhere"], "no tokenizer at nowhere"),
        (["out", "-p", "word " * 100], "and the model sees 64 at once"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[str], message: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit, match=f"^chat: .*{message}"):
        chat.main(["--device", "cpu", *arguments])


@pytest.mark.parametrize(
    "wrong", [["-t", "-1"], ["-t", "nan"], ["-k", "-1"], ["--max-tokens", "0"], ["--top-p", "0"], ["--top-p", "1.1"]]
)
def test_options_out_of_range(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        chat.main(["out", *wrong])
    allowed = "more than 0 and at most 1" if wrong[0] == "--top-p" else "0 or more, --max-tokens is 1 or more"
    assert allowed in capsys.readouterr().err


def heed_interrupts() -> None:
    """Tests that a shell began in the background have Ctrl-C ignored, and their children would, too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_a_terminal_that_types_and_interrupts(place: Path) -> None:
    """The command itself: two questions through a pipe, Ctrl-C while it waits for the third, then the end."""
    path = os.pathsep.join([str(ROOT / "model_src"), str(ROOT / "ext")])
    options = ["--device", "cpu", "--max-tokens", "5"]
    command = [sys.executable, "-u", "-m", "nanochat", "chat", str(place / "out"), *options]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        preexec_fn=heed_interrupts,
    ) as child:  # fmt: skip
        assert child.stdin is not None and child.stdout is not None
        alarm = threading.Timer(180, child.kill)
        alarm.start()

        def read_until(text: str, times: int) -> str:
            shown = ""
            while shown.count(text) < times:
                shown += (more := child.stdout.read(1))
                assert more, f"it ended: {shown}"
            return shown

        child.stdin.write("The number\nThe wörld 🙂\n")
        child.stdin.flush()
        shown = read_until("you> ", 3)
        time.sleep(0.2)  # until it waits; a signal just before that would have to be sent again
        child.send_signal(signal.SIGINT)
        shown += read_until("ends)", 1)
        child.stdin.close()
        shown += child.stdout.read()
        alarm.cancel()
    assert child.returncode == 0, shown
    assert shown.count("assistant> ") == 2 and "Traceback" not in shown
