"""Models of a library that nobody here wrote: recorded as they are, and drawn with every arrow."""

import subprocess
import sys
from pathlib import Path

import pytest

from cutaway.diagrams.explain import chosen, drawn
from cutaway.diagrams.graph.graph import Graph
from cutaway.runs import ensure
from cutaway.settings import Book
from cutaway.source.find import Source
from cutaway.store import Store
from cutaway.trace.names import Wanted
from cutaway.trace.reading import Trace, load

pytestmark = pytest.mark.slow
transformers = pytest.importorskip("transformers")
RUNS = """
from cutaway import Run


class Theirs(Run):
    name = "theirs"
    sources = ("transformers.models.gpt2.*", "transformers.models.llama.*")
    limit_s = 300

    def trace(self, weights, record):
        import torch
        from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

        torch.manual_seed(0)
        ids = torch.arange(7)[None]
        gpt2 = GPT2Config(vocab_size=31, n_positions=16, n_embd=12, n_layer=2, n_head=3, bos_token_id=0, eos_token_id=1)
        model = GPT2LMHeadModel(gpt2).eval()
        with torch.no_grad(), record("gpt2", model):
            logits = model(ids).logits
        record.fact(gpt2_sum=float(logits.double().sum()))
        sizes = dict(hidden_size=12, intermediate_size=20, num_hidden_layers=2, num_attention_heads=3)
        model = LlamaForCausalLM(LlamaConfig(vocab_size=31, **sizes)).eval()
        with torch.no_grad(), record("llama", model):
            logits = model(ids).logits
        record.fact(llama_sum=float(logits.double().sum()))
"""
PLAIN = RUNS.replace("from cutaway import Run", "class Run: pass\n") + """

import contextlib


class Record:
    def __call__(self, name, model):
        return contextlib.nullcontext()

    def fact(self, **facts):
        print(*facts.values())


Theirs().trace({}, Record())
"""


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, Trace]:
    folder = tmp_path_factory.mktemp("theirs")
    (folder / "runs.py").write_text(RUNS, "utf-8")
    sources = {"transformers": [Path(transformers.__path__[0])]}
    book = Book(folder, sources, (folder / "runs.py",), folder / "scenes", Store(folder / "store"))
    outcome = ensure(book, lambda line: None)["theirs"]
    assert not outcome.error, outcome.error
    return book.source, load(Path(outcome.trace))


def graph_of(theirs: tuple[Source, Trace], function: str, pass_: str) -> Graph:
    source, trace = theirs
    obj = source.find(f"transformers.models.{function}")
    graph, drawing = drawn(obj, *chosen({"theirs": trace}, obj.dotted, Wanted("theirs", pass_)))
    assert drawing.lines
    return graph


def ways(graph: Graph) -> set[tuple[str, str]]:
    """The first words of the two boxes of each arrow."""
    words = [node.code.split("(")[0].split(" = ")[0].split(",")[0] for node in graph.nodes]
    return {(words[edge.source], words[edge.target]) for edge in graph.edges}


FUNCTIONS = {
    "gpt2": ["GPT2Attention", "GPT2MLP", "GPT2Block", "GPT2LMHeadModel"],
    "llama": ["LlamaAttention", "LlamaMLP", "LlamaDecoderLayer", "LlamaRMSNorm", "LlamaForCausalLM"],
}


@pytest.mark.parametrize(("model", "cls"), [(model, cls) for model, all in FUNCTIONS.items() for cls in all])
def test_every_box_is_on_a_way_to_what_is_returned(theirs: tuple[Source, Trace], model: str, cls: str) -> None:
    graph = graph_of(theirs, f"{model}.modeling_{model}.{cls}.forward", model)
    assert [node for node in graph.nodes if node.kind == "output"]
    leading = {edge.source for edge in graph.edges}
    boxes = [node for node in graph.nodes if node.kind not in ("input", "output")]  # an argument may be of no use
    assert [node.code for node in boxes if node.id not in leading] == []
    led_to = {edge.target for edge in graph.edges}
    weights_alone = [node.code for node in graph.nodes if node.kind == "output" and node.id not in led_to]
    assert weights_alone == []


def test_attention_s_values_meet_its_queries_and_keys(theirs: tuple[Source, Trace]) -> None:
    meet = {("query_states", "attn_output"), ("key_states", "attn_output"), ("value_states", "key_states")}
    found = ways(graph_of(theirs, "llama.modeling_llama.LlamaAttention.forward", "llama"))
    assert {*meet, ("position_embeddings", "query_states")} <= found
    found = ways(graph_of(theirs, "gpt2.modeling_gpt2.GPT2Attention.forward", "gpt2"))
    assert meet <= found


def test_recorded_they_compute_the_same_bits(theirs: tuple[Source, Trace], tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(PLAIN, "utf-8")
    said = subprocess.run(
        [sys.executable, tmp_path / "plain.py"], capture_output=True, text=True, timeout=300, check=True
    ).stdout.split()
    assert [float(word) for word in said] == [theirs[1].facts["gpt2_sum"], theirs[1].facts["llama_sum"]]


def test_only_what_the_run_names_is_recorded(theirs: tuple[Source, Trace]) -> None:
    functions = {call.function.split(".")[2] for call in theirs[1].calls()}
    assert functions == {"gpt2", "llama"}
