"""Letters of a model whose author gives none: they are those that its sizes tell, and none where they tell two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import recorded
from hypothesis import example, given
from hypothesis import strategies as st

from cutaway.runs.child import _content
from cutaway.runs.letters import NAMES, settings, sizes
from cutaway.runs.recorder import Recorder
from cutaway.trace.reading import Arrays, Trace

CODE = """
class Config:
    def __init__(self, C=12, H=3, V=31):
        self.hidden_size, self.num_attention_heads, self.vocab_size, self.dropout = C, H, V, 0.5

class Model(nn.Module):
    def __init__(self, **sizes):
        super().__init__()
        self.config = Config(**sizes)
        self.embed = nn.Embedding(31, 12)
        self.qkv = nn.Linear(12, 36)

    def forward(self, ids):
        x = self.embed(ids)
        q, k, v = self.qkv(x).split(12, dim=-1)
        heads = q.view(*ids.shape, 3, 4)
        flat = x.view(-1, 12)
        logits = x @ self.embed.weight.T
        return logits
"""


def axes(folder: Path, *shapes: tuple[int, int], told: bool = False) -> dict[str, list[str | None] | None]:
    """The axes of each name in the model's forward, called once with each shape."""
    import torch

    recorder = Recorder()
    _, names = recorded.compiled(folder, CODE, recorder)
    model = names["model"]
    with recorder("forward", model):
        for shape in shapes:
            model(torch.zeros(shape, dtype=torch.long))
    if told:
        with recorder.sizes("forward", model, B=13, T=17):
            model(torch.zeros(13, 17, dtype=torch.long))
    recorder.name_axes()
    trace = Trace(_content("test", recorder, {"facts": {}, "log": {}}), Arrays(folder / "code.py"))
    call = trace.calls("m.code.Model.forward")[0]
    named = [record for record in trace.records(call) if record.site.kind in ("bind", "param")]
    return {record.site.name or "": list(record.value.axes or []) or None for record in named}


def test_sizes_that_the_model_tells_are_letters(tmp_path: Path) -> None:
    found = axes(tmp_path, (5, 7))
    assert found["ids"] == ["B", "T"] and found["x"] == ["B", "T", "C"] and found["q"] == ["B", "T", "C"]
    assert found["heads"] == ["B", "T", "H", "D"] and found["logits"] == ["B", "T", "V"]
    assert found["flat"] == ["B*T", "C"]


@pytest.mark.parametrize(("shape", "named"), [((3, 7), [None, "T"]), ((2, 7), [None, "T"]), ((1, 12), None)])
def test_a_size_that_may_be_two_things_is_none(shape: tuple[int, int], named: list[str], tmp_path: Path) -> None:
    assert axes(tmp_path, shape)["ids"] == named


def test_lengths_of_several_calls_are_no_letter(tmp_path: Path) -> None:
    assert axes(tmp_path, (5, 7), (5, 8))["x"] == [None, None, "C"]


def test_what_the_author_tells_is_not_guessed(tmp_path: Path) -> None:
    assert axes(tmp_path, (5, 7), told=True)["x"] == ["B", "T", None]


HELD = [*(name for names in NAMES.values() for name in names), "num_experts", "num_layers", "kernel_size"]
tensors = st.fixed_dictionaries(
    {"shape": st.lists(st.integers(0, 9), max_size=4), "dtype": st.sampled_from(["int64", "float32"])}
)


@given(st.dictionaries(st.sampled_from(HELD), st.integers(0, 9)), st.lists(tensors, max_size=3))
@example({"n_head": 1}, [])  # heads of nothing known
def test_no_size_is_two_things(held: dict[str, int], inputs: list[dict[str, Any]]) -> None:
    found = sizes(held, inputs)
    assert len(set(found.values())) == len(found) and all(size > 2 for size in found.values())
    assert set(found) <= {"B", "T", *NAMES}
    assert not {held.get("num_experts"), held.get("kernel_size")} & set(found.values())


def test_only_tokens_are_rows_of_tokens() -> None:
    ids, features = {"shape": [5, 7], "dtype": "int64"}, {"shape": [5, 7], "dtype": "float32"}
    rows, picture = {"shape": [5, 7, 12], "dtype": "float32"}, {"shape": [5, 3, 8, 8], "dtype": "float32"}
    assert sizes({"dim": 12}, [ids]) == sizes({"dim": 12}, [rows]) == {"B": 5, "T": 7, "C": 12}
    assert sizes({"dim": 12}, [features]) == sizes({"dim": 12}, [picture]) == {"C": 12}


def test_heads_are_no_letter_where_there_are_as_many_experts() -> None:
    held = {"hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 3}
    assert sizes(held, []) == {"C": 12, "H": 3, "D": 4}
    assert sizes(held | {"num_local_experts": 3}, []) == {"C": 12, "D": 4}


def test_settings_are_read_without_a_call() -> None:
    class Shy:
        def __getattribute__(self, name: str) -> object:
            if name != "__dict__":
                raise AssertionError(f"{name} was asked for")
            return object.__getattribute__(self, name)

    model, config = Shy(), Shy()
    object.__getattribute__(config, "__dict__").update(dim=12, bias=True)
    object.__getattribute__(model, "__dict__")["config"] = config
    assert settings(model) == {"dim": 12}
    assert settings(None) == {}
