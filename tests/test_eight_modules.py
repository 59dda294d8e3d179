"""The eight modules that `explain --run nanochat` draws: what is in each drawing, in the words of the code, and whether
the numbers of its key features are those of the models and files themselves."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from cutaway.diagrams import hand_drawn
from cutaway.diagrams.explain import named
from cutaway.prose.page_sections import Directive, Words, explain, section
from cutaway.runs import ensure
from cutaway.settings import Book
from cutaway.trace.reading import Trace, load

pytestmark = pytest.mark.slow  # where the store is empty, it traces the runs
DOCS = ROOT / "docs"
# What each of the seed's pictures has, in the words of nanochat's code, from above to below.
BOXES = {
    "gpt": [
        "self.transformer.wte(idx)", "x = norm(x)", "x = block(x, cos, sin", "x = norm(x)", "self.lm_head(x)",
        "torch.tanh(logits / self.config.softcap)", "F.cross_entropy(",
        "norm(x)", "self.attn(", "x = x + …", "norm(x)", "self.mlp(", "x = x + …",
    ],
    "attention": [
        "self.c_q(x)", "self.c_v(x)", "apply_rotary_emb(q, cos", "norm(q)", "norm(k)", "attention_mask(",
        "self.attend(", "self.c_proj(y)",
        "att = (q @ k.transpose(-2, -1))", "math.sqrt(self.head_dim)", "masked_fill(", "F.softmax(",
        "att @ v",
    ],
    "mlp": ["self.c_fc(x)", "F.relu(x).square()", "self.c_proj(x)"],
    "optimizer": [
        "g.square()", "m_hat = m /", "v_hat.sqrt()", "p.copy_(W)", "muon_direction(", "decay =",
        "W - lr * X - lr * decay", "momentum_buffer.lerp_(G", "bfloat16()", "orthogonalise(X",
    ],
    "dataloader": [
        "shards", "read_row_group", "documents that wait", "best_fit", "a row of T + 1 ids", "a batch of B rows",
        "inputs", "torch.tensor(rows)", "batch[:, :-1]",
    ],
    "rotary": ["base ** (-2 * j / head_dim)", "torch.outer(t, speed)", "angle.cos()", "x.chunk(2", "x1 * cos + x2"],
    "tokenizer": ["documents", "count_chunks", "Pairs", "most_frequent", "a merge: the next id", "token ids", "decode"],
    "engine": ["prompt", "prefill", "KVCache", "sample_next_token", "take", "use_calculator", "kv_cache=read"],
}  # fmt: skip
# Functions named in the boxes of drawings made by hand, in the order in which the run is to have begun them.
CALLED = {
    "diagram-explain-loader": (
        "shards", "rows",
        ["nanochat.dataset.split_files", "nanochat.dataset.list_row_groups", "nanochat.dataset.read_row_group",
         "nanochat.tokenizer.RustBPETokenizer.encode", "nanochat.data.packing.best_fit",
         "nanochat.dataloader.DataLoader.tokens"],
    ),
    "diagram-explain-bpe": (
        "tokens", "train",
        ["nanochat.data.bpe.count_chunks", "nanochat.data.bpe.Pairs.__init__", "nanochat.data.bpe.Pairs.most_frequent",
         "nanochat.data.bpe.merge_pair"],
    ),
    "diagram-explain-engine": (
        "talk", "answer",
        ["nanochat.engine.Engine.prefill", "nanochat.engine.KVCache.__init__",
         "nanochat.chat.sampling.sample_next_token", "nanochat.engine.Engine.take", "nanochat.engine.Engine.answer",
         "nanochat.chat.calculator.use_calculator"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def book() -> Book:
    return Book.read(DOCS)


@cache
def said(name: str) -> str:
    """What the terminal prints, features included."""
    return explain(Book.read(DOCS), name, "nanochat")


def features(name: str) -> str:
    return " ".join(said(name).split("Key features:")[1].split())


@cache
def trace(run: str) -> Trace:
    outcomes = ensure(Book.read(DOCS), print, [run])
    return load(Path(outcomes[run].trace))


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The runs' own files and the models can be imported."""
    pytest.importorskip("torch")
    monkeypatch.syspath_prepend(DOCS)
    monkeypatch.syspath_prepend(ROOT / "model_src")


# What is drawn


@pytest.mark.parametrize("name", BOXES)
def test_the_drawing_has_what_the_module_does_in_its_order(name: str) -> None:
    drawing = said(name).split("Key features:")[0]
    last = -1
    for words in BOXES[name]:
        found = drawing.find(words, last + 1)
        assert found >= 0, f"{words!r} is not in the drawing of {name}, or above what comes before it"
        last = found


@pytest.mark.parametrize("name", BOXES)
def test_each_has_features_and_none_is_wider_than_a_drawing(name: str) -> None:
    assert said(name).count("\n- ") >= 4
    assert max(map(len, said(name).splitlines())) <= 78


def test_keys_are_turned_and_normalised_as_queries_are() -> None:
    drawing = said("attention")
    for letter in "qk":
        assert drawing.index(f"{letter} = apply_rotary_emb({letter}") < drawing.index(f"norm({letter})")
    assert "apply_rotary_emb(v" not in drawing and "norm(v)" not in drawing


@pytest.mark.parametrize("id", CALLED)
def test_what_boxes_made_by_hand_name_ran_in_that_order(book: Book, id: str) -> None:
    run, pass_, functions = CALLED[id]
    [drawing] = section(DOCS, id)
    assert isinstance(drawing, Directive)
    text = "\n".join(hand_drawn.split(drawing.body)[0])
    begun = [trace(run).calls(function, pass_)[0].index for function in functions]
    assert begun == sorted(begun), functions
    for function in functions:
        assert re.search(rf"\b{function.removesuffix('.__init__').split('.')[-1]}\b", text), function


def test_every_function_in_a_drawing_made_by_hand_ran() -> None:
    ran = {call.function.split(".")[-1] for run in ("shards", "tokens", "talk") for call in trace(run).calls()}
    ran |= {"Pairs", "KVCache", "torch.tensor", "self.model", "row.forced", "tokens"}
    for name in ("dataloader", "tokenizer", "engine"):
        blocks = [block for block in section(DOCS, f"explain-{name}") if isinstance(block, Directive) and block.body]
        text = "\n".join(line for block in blocks for line in hand_drawn.split(block.body)[0])
        code = set(re.findall(r"(?:\w+[._])+\w+", text)) - {"python_end"}
        assert code <= ran, code - ran


# What is said


def prose() -> Iterator[str]:
    """The words of the page's sections below their headings, without roles and code."""
    for name in BOXES:
        for block in section(DOCS, f"explain-{name}"):
            if isinstance(block, Words):
                yield re.sub(r"\{[\w-]+\}`[^`]*`|`[^`]*`", "", " ".join(block.lines))


def test_no_number_of_a_run_is_typed() -> None:
    formulae = r"T \+ 1|1 / √D|D/2|−2j/D|GPT-4|July 2026|numbers 1\.|near 1,|at 0\.|numbers 0"
    for text in prose():
        assert not re.search(r"\d", re.sub(formulae, "", text)), text


@pytest.mark.usefixtures("imported")
def test_numbers_of_the_model_are_those_of_its_configuration() -> None:
    from nanochat.gpt import GPT, ROTARY_SPARE, rotary_tables
    from runs.prose import VOCABULARY, settings_of

    config: Any = settings_of(Path()).model_config(VOCABULARY)
    model = GPT(config)
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    C, L, D = config.n_embd, config.n_layer, config.n_embd // config.n_head
    assert not any("bias" in name for name, _ in model.named_parameters())
    assert model.lm_head.weight is not model.transformer.wte.weight
    gpt = features("gpt")
    total = sum(p.numel() for p in model.parameters())
    assert f"{total:,} parameters in all: C = {C} numbers a token, {words[L]} blocks" in gpt
    assert f"a vocabulary of {config.vocab_size:,}." in gpt
    assert f"wte is {tuple(model.transformer.wte.weight.shape)}" in gpt
    assert f"between −{config.softcap:.0f} and {config.softcap:.0f}" in gpt
    attention = features("attention")
    assert f"{words[config.n_head]} heads of D = {D} numbers" in attention and config.n_kv_head == config.n_head
    assert f"above √D = √{D}" in attention
    assert f"The window is {model.window_sizes[0]} here, a whole row" in attention
    assert model.window_sizes[0] == config.sequence_len
    block = model.transformer.h[0]
    for name in ("c_q", "c_k", "c_v"):
        assert f"{name} {'is ' if name == 'c_q' else ''}{tuple(getattr(block.attn, name).weight.shape)}" in attention
    shapes = f"c_fc are {tuple(block.mlp.c_fc.weight.shape)}, those of c_proj {tuple(block.mlp.c_proj.weight.shape)}"
    assert shapes in features("mlp") and block.mlp.c_fc.weight.shape == (4 * C, C)
    assert f"from C = {C} numbers to {4 * C} and back" in features("mlp")
    rotary = features("rotary")
    cos, _ = rotary_tables(ROTARY_SPARE * config.sequence_len, D, config.rope_base, "cpu")
    assert f"A head's D = {D} numbers are {D // 2} pairs" in rotary
    assert f"with the base {config.rope_base:,.0f}" in rotary
    assert f"from 1 to {config.rope_base ** (2 / D - 1):.2g}." in rotary
    tables = f"{words[ROTARY_SPARE]} times as long as a row of training: {cos.size(1):,} positions, {tuple(cos.shape)}"
    assert tables in rotary


def test_queries_and_keys_have_the_length_that_is_said() -> None:
    import numpy as np

    from cutaway.trace.names import Names

    names = Names({"prose": trace("prose")}, {})
    for name in ("q", "k"):
        value = names.resolve(f"prose.forward@0/h.0.attn/{name}").value
        assert value is not None
        assert np.allclose(np.linalg.norm(value.array(), axis=-1), math.sqrt(trace("prose").facts["D"]), atol=1e-3)


@pytest.mark.usefixtures("imported")
def test_numbers_of_the_optimizer_are_those_of_its_groups() -> None:
    from runs.muon import Muon

    model = Muon().model()
    optimizer = model.setup_optimizer()
    adamw = [group for group in optimizer.param_groups if group["kind"] == "adamw"]
    first = (model.lm_head.weight, model.transformer.wte.weight)
    [head, wte] = [next(group for group in adamw if group["params"][0] is weight) for weight in first]
    muon = next(group for group in optimizer.param_groups if group["kind"] == "muon")
    text = features("optimizer")
    for group in adamw:
        beta1, beta2 = group["betas"]
        assert f"beta1 = {beta1}, beta2 = {beta2}, eps = {group['eps']:g}" in text
    assert f"{head['lr']:.3g} for the head, {wte['lr']:.3g} for the embedding" in text
    assert "Newton-Schulz, five rounds, in bfloat16" in text and (muon["ns_steps"], muon["bfloat16"]) == (5, True)
    assert f"Muon's rate is {muon['lr']}." in text
    stack = (len(muon["params"]), *muon["params"][0].shape)
    assert f"The first stack is {stack}: eight square" in text and len(muon["params"]) == 8
    assert "Weight decay is 0 in" in text and {group["weight_decay"] for group in optimizer.param_groups} == {0.0}
    assert not muon["polar_express"] and muon["beta2"] is None


def test_numbers_of_the_loader_are_those_of_its_batch() -> None:
    facts, text = trace("shards").facts, features("dataloader")
    lengths = facts["lengths"].split()
    assert f"{facts['train_tokens']:,} tokens in the {facts['train_documents']} documents of training" in text
    assert (len(lengths), sum(map(int, lengths))) == (facts["train_documents"], facts["train_tokens"])
    assert facts["val_documents"] + facts["train_documents"] == facts["documents"]
    assert f"Every row is full: ({facts['B']}, {facts['T'] + 1})" in text
    assert "(4, 256)  B T" in said("dataloader") and (facts["B"], facts["T"]) == (4, 256)


def test_numbers_of_the_tokenizer_are_those_of_its_vocabulary() -> None:
    facts, text = trace("tokens").facts, features("tokenizer")
    assert facts["merges"] + 256 == facts["vocab_size"]
    assert f"learned {facts['merges']} merges from {facts['bytes']:,} bytes" in text
    assert f"“{facts['text']}” becomes {facts['n_ids']} ids" in text
    assert re.search(r"digits \(at most two of them\)", text)


def test_numbers_of_the_engine_are_those_of_its_answer() -> None:
    facts, text = trace("talk").facts, features("engine")
    assert f"Prefill: {facts['prompt_tokens']} tokens" in text and f"Decode: {facts['answer_tokens']} tokens" in text
    assert facts["chosen"] + facts["forced"] == facts["answer_tokens"]
    value = re.search(r"<\|output_start\|>(\d+)<\|output_end\|>", facts["answer"])
    assert value and f"here four tokens for “{value[1]}”" in text and facts["forced"] == 4
    passes = len(trace("talk").calls("nanochat.gpt.GPT.forward", "answer"))
    assert passes == 1 + facts["answer_tokens"]  # prefill, then one a token


def test_nanogpt_s_own_are_told_from_nanochat_s(book: Book) -> None:
    for name in ("gpt", "attention", "mlp"):
        assert named(book, name) == named(book, name, "nanogpt")
        assert named(book, name)[0].startswith("nanogpt.")
    for name in BOXES:
        assert named(book, name, "nanochat") == (f"#explain-{name}", None)
