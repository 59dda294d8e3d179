"""`fieldguide visualize`: the numbers on the stage are the file's, films are films, bad input does no harm."""

import json
import math
import pickle
import re
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from torch.nn import functional as F

from cutaway.clips.format.script import read_script
from cutaway.clips.keys import source_key
from cutaway.settings import Book
from fieldguide.__main__ import main
from fieldguide.logs.reading import read_log
from fieldguide.loss.judging import prepare, spikes
from fieldguide.mcp.offers import READING
from fieldguide.report import UsageProblem
from fieldguide.skills.table import SKILLS
from fieldguide.visualize import clips_listed, from_model, names, rendering
from nanochat.config import GPTConfig as NanochatConfig
from nanochat.gpt import GPT as Nanochat
from nanogpt import data as nanogpt_data
from nanogpt.model import GPT, GPTConfig
from ngpt.train import MODELS

ROOT = Path(__file__).parents[2]
PINNED = ROOT / "docs/runs/pinned"
SIZES = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 16, "bias": False, "vocab_size": 40, "dropout": 0.0}
SMALL = ("--quality", "144p10")
Says = Callable[..., dict[str, Any]]


@pytest.fixture
def says(capsys: pytest.CaptureFixture[str]) -> Says:
    """What the tool reports, as a program reads it; its message where it was used wrongly."""

    def ask(*words: object, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        found = main(["visualize", *map(str, words), "--json"])
        said = capsys.readouterr()
        assert found == code, said
        return json.loads(said.out) if code == 0 else {"problem": said.err}

    return ask


@pytest.fixture
def shown(says: Says, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Says:
    """What would be on the stage; nothing is drawn."""
    made = rendering.Made("nothing", (1, 1), 0.0, 0)
    monkeypatch.setattr(rendering, "render", lambda *arguments: made)
    return lambda *words: says(*words, "--out", tmp_path / "out.mp4")["shown"]


def pinned_log(folder: Path, run: str = "chars") -> tuple[Path, list[list[float]]]:
    """The log.jsonl of a run of the book, and its losses."""
    log = json.loads((PINNED / f"{run}.json").read_text())["log"]
    rows: dict[int, dict[str, float]] = {}
    for name in ("loss", "train_loss", "val_loss"):
        for step, value in log.get(name, []):
            rows.setdefault(step, {"step": step})[name] = value
    path = folder / f"{run}.jsonl"
    path.write_text("".join(json.dumps(rows[step]) + "\n" for step in sorted(rows)))
    return path, log["loss"]


def broken_log(path: Path) -> Path:
    """The course of a real run, with a spike put into it, and a NaN at the end."""
    losses = json.loads((PINNED / "chars.json").read_text())["log"]["loss"]
    lines = [f"iter {step}: loss {value + 2 * (step == 400):.4f}, time 1ms, mfu 1%" for step, value in losses]
    path.write_text("\n".join([*lines, f"iter {len(losses)}: loss nan, time 1ms, mfu 1%"]) + "\n")
    return path


def nanogpt(path: Path, loss: float = 2.0, **sizes: int) -> tuple[Path, GPT]:
    """What nanoGPT's train.py saves."""
    torch.manual_seed(0)
    config = GPTConfig(**{**SIZES, **sizes})
    model = GPT(config)
    saved = {"model": model.state_dict(), "model_args": asdict(config), "iter_num": 1, "config": {},
             "best_val_loss": torch.tensor(loss)}  # fmt: skip
    torch.save(saved, path)
    return path, model


def nanochat(folder: Path) -> tuple[Path, Nanochat]:
    """What nanochat saves."""
    torch.manual_seed(0)
    config = NanochatConfig(sequence_len=16, vocab_size=64, n_layer=2, n_head=2, n_kv_head=1, n_embd=32)
    model = Nanochat(config)
    for each in model.parameters():
        each.data.normal_(std=0.2)  # its own first weights give all tokens the same attention
    folder.mkdir()
    torch.save(model.state_dict(), folder / "model_000007.pt")
    (folder / "meta_000007.json").write_text(json.dumps({"step": 7, "val_bpb": 1.5, "model_config": asdict(config)}))
    return folder, model


def ngpt(path: Path) -> tuple[Path, torch.nn.Module]:
    """What ngpt.train saves."""
    torch.manual_seed(0)
    model = MODELS["ngpt"](num_tokens=40, dim=32, depth=2, heads=2, dim_head=16, block_size=16)
    saved = {"model": model.state_dict(), "model_args": asdict(model.config), "config": {"model": "ngpt"}}
    torch.save(saved, path)
    return path, model


# The list


def test_without_a_topic_every_clip_of_the_book_is_listed_once_under_its_part(says: Says) -> None:
    report = says("--book", ROOT / "docs")
    listed = {clip["scene"]: clip for clip in report["clips"]}
    pages = {str(page.relative_to(ROOT / "docs")): page.read_text() for page in (ROOT / "docs").rglob("*.md")}
    written = {scene for text in pages.values() for scene in re.findall(r"^[:`]{3,}\{clip\} +([\w.]+)", text, re.M)}
    assert len(listed) == len(report["clips"])
    assert set(listed) == written
    for clip in listed.values():
        assert f"{{clip}} {clip['scene']}\n" in pages[clip["page"]]
        assert f":name: {clip['id']}\n" in pages[clip["page"]]
    assert listed["attention.Scores"]["topic"] == "The model"
    captions = re.findall(r"^:caption: (.+)$", pages["index.md"], re.M)
    assert {clip["topic"] for clip in listed.values()} <= {*captions, "The book", "Other pages"}


def test_the_list_is_found_from_the_checkout_and_its_lines_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["visualize"]) == 0
    said = capsys.readouterr().out
    assert "attention.Scores" in said
    assert max(map(len, said.splitlines())) <= 150


def test_without_a_book_it_says_what_to_do(says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips_listed, "SOURCE", tmp_path / "site-packages")
    monkeypatch.chdir(tmp_path)
    assert "no book is here" in says(code=2)["problem"]
    assert "--book nowhere: no book is there" in says("--book", "nowhere", code=2)["problem"]


# The numbers


def test_the_course_is_the_log_s(shown: Says, tmp_path: Path) -> None:
    path, losses = pinned_log(tmp_path)
    drawing = shown("loss", path)
    assert (drawing["steps"], drawing["values"]) == tuple(map(list, zip(*losses, strict=True)))
    assert drawing["spikes"] == [] and drawing["bad"] is None
    measured = json.loads((PINNED / "chars.json").read_text())["log"]["val_loss"]
    assert drawing["validation"]["values"] == [value for _, value in measured]


def test_what_is_marked_is_what_fieldguide_loss_finds(shown: Says, tmp_path: Path) -> None:
    path = broken_log(tmp_path / "train.log")
    drawing = shown("loss", path)
    found = spikes(prepare(read_log(path), None, False).curve)
    assert [spike["step"] for spike in drawing["spikes"]] == [spike.step for spike in found] == [400]
    assert drawing["spikes"][0]["value"] in drawing["values"]
    assert drawing["bad"] == len(json.loads((PINNED / "chars.json").read_text())["log"]["loss"])
    assert drawing["findings"][0][0] == "error"


def test_a_spike_of_several_steps_is_marked_where_it_is_highest(shown: Says, tmp_path: Path) -> None:
    path, losses = pinned_log(tmp_path)
    raised = [{"step": step, "loss": value + {400: 2, 401: 3}.get(step, 0)} for step, value in losses]
    path.write_text("".join(json.dumps(line) + "\n" for line in raised))
    drawing = shown("loss", path)
    assert [(spike["step"], spike["top"]) for spike in drawing["spikes"]] == [(400, 401)]
    assert drawing["values"] == [line["loss"] for line in raised]


def test_a_long_log_becomes_a_small_drawing_that_keeps_its_spike(shown: Says, tmp_path: Path) -> None:
    values = 2 + 3 * (1 + np.arange(50_000) / 500) ** -0.5 + np.random.default_rng(0).normal(0, 0.02, 50_000)
    values[40_000] += 3
    path = tmp_path / "long.csv"
    path.write_text("step,loss\n" + "".join(f"{step},{value:.4f}\n" for step, value in enumerate(values)))
    drawing = shown("loss", path)
    assert len(drawing["values"]) < 1000
    assert drawing["steps"] == sorted(drawing["steps"])
    assert max(drawing["values"][100:]) == pytest.approx(values[40_000], abs=1e-3)


@pytest.mark.parametrize("make", [nanogpt, nanochat, ngpt])
def test_an_architecture_has_the_parameters_and_shapes_of_the_model(
    shown: Says, tmp_path: Path, make: Callable[[Path], tuple[Path, torch.nn.Module]]
) -> None:
    path, model = make(tmp_path / "model.pt")
    drawing = shown("architecture", path)
    count = sum(each.numel() for each in model.parameters())
    assert drawing["total"] == sum(part["count"] for part in drawing["parts"]) == count
    assert sum(share["count"] for share in drawing["shares"]) == count
    assert drawing["layers"] == 2
    layer = [(name, each) for name, each in model.named_parameters() if re.match(r"(transformer\.h|layers)\.0\.", name)]
    assert drawing["layer"]["count"] == sum(each.numel() for _, each in layer)
    largest = max(layer, key=lambda pair: pair[1].numel())
    told = [tensor["shape"] for tensor in drawing["layer"]["tensors"] if largest[0].removesuffix(".weight").endswith(
        tensor["name"])]  # fmt: skip
    assert told == [" × ".join(map(str, largest[1].shape))]


def test_many_layers_are_drawn_as_few_parts_that_still_add_up(shown: Says, tmp_path: Path) -> None:
    path, model = nanogpt(tmp_path / "deep.pt", n_layer=30)
    parts = shown("architecture", path)["parts"]
    assert len(parts) <= 12
    assert sum(part["count"] for part in parts) == sum(each.numel() for each in model.parameters())


def test_attention_is_what_the_weights_say(shown: Says, tmp_path: Path) -> None:
    path, model = nanogpt(tmp_path / "model.pt")
    ids = [3, 1, 4, 1, 5, 9, 2]
    drawing = shown("attention", path, "--ids", ",".join(map(str, ids)), "--head", 1)
    block = model.transformer.h[0]
    with torch.no_grad():
        x = model.transformer.wte(torch.tensor(ids)) + model.transformer.wpe.weight[: len(ids)]
        q, k, _ = block.attn.c_attn(block.ln_1(x)).split(16, dim=1)
        scores = q[:, 8:] @ k[:, 8:].T / math.sqrt(8)
        wanted = F.softmax(scores.masked_fill(~torch.ones(7, 7, dtype=torch.bool).tril(), -math.inf), -1)
    assert np.allclose(drawing["weights"], wanted.numpy(), atol=1e-4)
    assert drawing["heads"][1] == drawing["weights"]


@pytest.mark.parametrize("make", [nanochat, ngpt])
def test_attention_of_other_models_is_causal_and_adds_up_to_1(
    shown: Says, tmp_path: Path, make: Callable[[Path], tuple[Path, torch.nn.Module]]
) -> None:
    path, _ = make(tmp_path / "model.pt")
    drawing = shown("attention", path, "--ids", "3,1,4,1,5", "--layer", 1)
    weights = np.array(drawing["heads"])
    assert weights.shape == (2, 5, 5)
    assert np.allclose(weights.sum(-1), 1, atol=1e-3)
    assert not np.triu(weights, 1).any()
    assert np.ptp(weights[0, -1]) > 0.001  # it depends on the tokens


def test_a_text_becomes_tokens_by_the_meta_file_beside_the_checkpoint(shown: Says, tmp_path: Path) -> None:
    nanogpt_data.prepare_char("to be or not to be, that is\n" * 20, tmp_path)
    path, _ = nanogpt(tmp_path / "ckpt.pt")
    assert shown("attention", path, "--text", "to be\n")["tokens"] == ["t", "o", "␣", "b", "e", "↵"]


def test_data_is_the_file_s(shown: Says, tmp_path: Path) -> None:
    nanogpt_data.prepare_char("to be or not to be, that is the question\n" * 20, tmp_path)
    ids = np.fromfile(tmp_path / "train.bin", dtype="<u2")
    drawing = shown("data", tmp_path)
    assert (drawing["count"], drawing["first"]) == (len(ids), ids[:33].tolist())
    assert "".join(drawing["labels"]).startswith("to␣be␣or")
    assert sum(each["count"] for each in drawing["bins"]) == len(ids)
    for each in drawing["bins"]:
        assert each["count"] == int(((ids >= each["from"]) & (ids <= each["to"])).sum())


def test_documents_are_counted_by_their_lengths(shown: Says, tmp_path: Path) -> None:
    lengths = [5, 0, 70, 64, 3000]
    path = tmp_path / "docs.jsonl"
    path.write_text("".join(json.dumps({"text": "a" * length}) + "\n" for length in lengths))
    drawing = shown("data", path)
    assert drawing["first"] == lengths
    for each in drawing["bins"]:
        assert each["count"] == sum(each["from"] <= length <= each["to"] for length in lengths)


def test_scaling_finds_a_law_that_was_put_in(shown: Says, tmp_path: Path) -> None:
    made = []
    for number, width in enumerate((16, 32, 64)):
        _, model = nanogpt(tmp_path / "sized.pt", n_embd=width)
        size = sum(each.numel() for each in model.parameters())
        made.append(nanogpt(tmp_path / f"{number}.pt", 9 * size**-0.1, n_embd=width)[0])
    drawing = shown("scaling", *made)
    assert drawing["line"]["exponent"] == pytest.approx(0.1, abs=1e-4)
    assert drawing["unit"] == "validation loss"


def test_scaling_reads_sizes_from_logs_and_refuses_to_mix_losses(shown: Says, says: Says, tmp_path: Path) -> None:
    for name, size in (("a", "0.80M"), ("b", "10.65M")):
        measured = "".join(f"step {step}: train loss 2.1, val loss {loss}\n" for step, loss in ((0, 4.3), (9, 2.2)))
        said = f"number of parameters: {size}\n{measured}"
        (tmp_path / f"{name}.log").write_text(said)
    points = shown("scaling", tmp_path / "a.log", tmp_path / "b.log")["points"]
    assert [(each["size"], each["loss"]) for each in points] == [(800_000, 2.2), (10_650_000, 2.2)]
    (tmp_path / "sub").mkdir()
    path, _ = pinned_log(tmp_path / "sub")
    out = tmp_path / "x.mp4"
    assert "say --sizes" in says("scaling", tmp_path / "a.log", path, "--out", out, code=2)["problem"]
    (tmp_path / "c.log").write_text("number of parameters: 2M\niter 0: loss 4.0, time\niter 1: loss 3.0, time\n")
    mixed = says("scaling", tmp_path / "a.log", tmp_path / "c.log", "--out", out, code=2)
    assert "those of one kind" in mixed["problem"]


# The films


@pytest.mark.parametrize(("suffix", "codec"), [
    (".mp4", "h264"), pytest.param(".webm", "vp9", marks=pytest.mark.slow),
    pytest.param(".gif", "gif", marks=pytest.mark.slow),
])  # fmt: skip
def test_a_log_becomes_a_film_of_each_kind(says: Says, tmp_path: Path, suffix: str, codec: str) -> None:
    out = tmp_path / f"loss{suffix}"
    report = says("loss", broken_log(tmp_path / "train.log"), "--out", out, *SMALL)
    with av.open(str(out)) as film:
        video = film.streams.video[0]
        assert video.codec_context.name.removeprefix("lib") in (codec, f"{codec}-vp9", "vpx-vp9")
        assert video.width / video.height == pytest.approx(16 / 9, rel=0.02)
        frames = [frame.to_ndarray(format="gray") for frame in film.decode(video)]
    assert len(frames) > 20
    assert float(np.std(frames[-1].astype(float) - frames[len(frames) // 3])) > 3  # it moves
    assert 8 < report["seconds"] < 20
    assert sorted(path.name for path in tmp_path.iterdir()) == [out.name, "train.log"]


def recorded(topic: str, drawing: dict[str, Any]) -> dict[str, Any]:
    """The recording of a scene."""
    with rendering.small_book(drawing) as folder:
        rendering.cutaway(folder, ["frame", rendering.SCENES[topic], "0", "--png", str(folder / "first.png")])
        (script,) = (folder / "store").rglob("*.js")
        return read_script(script.read_text("utf-8"))


def test_the_stage_says_the_numbers_of_the_file(shown: Says, tmp_path: Path) -> None:
    path, losses = pinned_log(tmp_path)
    drawing = shown("loss", path)
    recording = recorded("loss", drawing)
    said = " ".join(text for *_, text in recording["captions"])
    assert f"{len(losses)} losses of chars.jsonl" in said
    assert f"from {losses[0][1]:.3f} at step 0 to {losses[-1][1]:.3f} at step {losses[-1][0]}" in said


def test_no_picture_of_another_file_is_taken_for_this_one() -> None:
    keys = set()
    for value in (1.0, 1.0, 2.0):
        with rendering.small_book({"values": [value]}) as folder:
            keys.add(source_key(Book.read(folder), "course.Loss"))
    assert len(keys) == 2


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["scaling", "architecture", "attention", "data"])
def test_each_topic_becomes_a_film(says: Says, tmp_path: Path, topic: str) -> None:
    small, _ = nanogpt(tmp_path / "small.pt", 3.0)
    others = [nanogpt(tmp_path / f"{width}.pt", 80 / width, n_embd=width)[0] for width in (32, 64)]
    nanogpt_data.prepare_char("to be or not to be, that is the question\n" * 20, tmp_path)
    words = {"scaling": [small, *others], "architecture": [small], "data": [tmp_path],
             "attention": [small, "--text", "to be or not"]}[topic]  # fmt: skip
    out = tmp_path / f"{topic}.mp4"
    assert 5 < says(topic, *words, "--out", out, *SMALL)["seconds"] <= 20
    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) > 20


# Bad input


def test_nothing_is_written_where_something_is_wrong(says: Says, tmp_path: Path) -> None:
    log, _ = pinned_log(tmp_path)
    there = tmp_path / "there.mp4"
    there.write_text("mine")
    before = sorted(tmp_path.iterdir())
    wrong = {
        ("loss", log): "--out is missing",
        ("loss", "--out", tmp_path / "a.mp4"): "0 files were named, one file",
        ("loss", log, log, "--out", tmp_path / "a.mp4"): "2 files were named, one file",
        ("loss", log, "--out", tmp_path / "a.avi"): "the name ends with .mp4, .webm, .gif, .png",
        ("loss", log, "--out", there): "is there already: name another file, or say --overwrite",
        ("loss", log, "--out", tmp_path / "no" / "a.mp4"): "there is no folder",
        ("loss", log, "--out", tmp_path / "a.mp4", "--quality", "huge"): "as in 1080p60",
        ("loss", tmp_path / "no.log", "--out", tmp_path / "a.mp4"): "is not there",
        ("architecture", log, "--out", tmp_path / "a.mp4"): "chars.jsonl",
        ("data", log.with_suffix(".zip"), "--out", tmp_path / "a.mp4"): "is of no known kind",
        ("attention", log, "--out", tmp_path / "a.mp4"): "chars.jsonl",
    }
    for words, said in wrong.items():
        assert said in says(*words, code=2)["problem"], words
    assert sorted(tmp_path.iterdir()) == before
    assert there.read_text() == "mine"


def test_a_folder_that_may_not_be_written_is_told(says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, _ = pinned_log(tmp_path)

    def refused(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
        if mode == "xb":
            raise PermissionError(13, "Permission denied")
        return opened(path, mode, *rest, **more)

    opened = Path.open
    monkeypatch.setattr(Path, "open", refused)
    assert "can't be written" in says("loss", log, "--out", tmp_path / "a.mp4", code=2)["problem"]


def test_what_fails_while_drawing_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="could not be drawn"):
        rendering.render("loss", {"file": "no numbers"}, tmp_path / "a.mp4", False, "dark", "144p10")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_a_terminal_would_obey_is_spelled_out(shown: Says, tmp_path: Path) -> None:
    path, _ = pinned_log(tmp_path)
    hostile = path.rename(tmp_path / "\x1b[2J'''); import os #\n.jsonl")
    assert shown("loss", hostile)["file"] == "\\x1b[2J'''); import os #\\n.jsonl"
    assert names.shortened("a" * 100) == "a" * 35 + "…"
    assert names.token_text("\n\x1b") == "↵\\x1b"


def test_the_drawing_is_a_literal_that_runs_nothing(tmp_path: Path) -> None:
    hostile = {"file": "'); raise SystemExit('run') #\u2028\"\"\"\\"}
    with rendering.small_book(hostile) as folder:
        scope: dict[str, Any] = {}
        exec(compile((folder / "stage/drawing.py").read_text("utf-8"), "drawing.py", "exec"), scope)
    assert scope["GIVEN"] == hostile


def test_a_checkpoint_is_read_and_never_run(says: Says, tmp_path: Path) -> None:
    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "harmed",))

    path = tmp_path / "ckpt.pt"
    path.write_bytes(pickle.dumps({"model": Harm()}))
    for words in (("architecture",), ("attention", "--ids", "1,2")):
        says(words[0], path, *words[1:], "--out", tmp_path / "a.mp4", code=2)
    assert [each.name for each in tmp_path.iterdir()] == ["ckpt.pt"]


def test_sizes_that_the_weights_do_not_have_are_refused_before_they_fill_the_memory(says: Says, tmp_path: Path) -> None:
    path, _ = nanogpt(tmp_path / "ckpt.pt")
    saved = torch.load(path)
    saved["model_args"] |= {"n_embd": 1_000_000, "n_layer": 100}
    torch.save(saved, path)
    problem = says("attention", path, "--ids", "1,2", "--out", tmp_path / "a.mp4", code=2)["problem"]
    assert "has another shape" in problem


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--text TEXT or --ids"), (("--ids", "1;2"), "numbers with commas"), (("--ids", "1,99"), "token 99"),
        (("--ids", "1"), "2 to 16 are needed"), (("--ids", "1,2", "--layer", "7"), "there are 2, 0 to 1"),
        (("--text", "abc"), "name their folder with --tokenizer"),
    ],
)  # fmt: skip
def test_what_attention_can_t_do_is_said(says: Says, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    path, _ = nanogpt(tmp_path / "ckpt.pt")
    assert said in says("attention", path, *words, "--out", tmp_path / "a.mp4", code=2)["problem"]


def test_without_manim_it_says_what_to_install(says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "find_spec", lambda name: None if name in ("manim", "av") else object())
    log, _ = pinned_log(tmp_path)
    problem = says("loss", log, "--out", tmp_path / "a.mp4", code=2)["problem"]
    assert "drawing needs manim, av, which are not installed: pip install 'cutaway[clips]'" in problem


# For agents


def test_the_skill_names_it_and_the_server_leaves_it_out() -> None:
    skill = next(skill for skill in SKILLS if skill.name == "visualize")
    assert "fieldguide visualize" in skill.helps
    assert not [command for command, _ in READING if command.startswith("visualize")]


def test_watching_attention_ends(tmp_path: Path) -> None:
    before = torch.nn.functional.scaled_dot_product_attention
    with pytest.raises(RuntimeError), from_model.watched():
        raise RuntimeError
    assert torch.nn.functional.scaled_dot_product_attention is before
