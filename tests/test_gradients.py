"""Recorded gradients: against changes of the values themselves, at every place of somebody else's model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recorded
import torch

from cutaway.runs.axes import letters
from cutaway.runs.child import _content
from cutaway.runs.gradients import gradients
from cutaway.runs.recorder import Recorder
from cutaway.trace.gradients import GradientNames
from cutaway.trace.names import Names, UnknownName
from cutaway.trace.reading import Arrays, Trace

# Nothing of ours: its own attention without softmax, tuples, a loop, a write in place, a table read twice, a lookup.
FOREIGN = """
    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.both = nn.Linear(6, 12, bias=False)
            self.gate = nn.Parameter(torch.linspace(-1, 1, 6))

        def forward(self, x):
            left, right = self.both(x).chunk(2, dim=-1)
            seen = torch.tril(torch.sigmoid(left @ right.transpose(-2, -1)))
            mixed = seen @ x
            mixed *= self.gate
            return mixed + x

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(5, 6)
            self.unused = nn.Linear(2, 2)
            self.mixers = nn.ModuleList([Mixer(), Mixer()])

        def forward(self, ids):
            x = self.table(ids)
            for mixer in self.mixers:
                x = torch.tanh(mixer(x))
            scores = x @ self.table.weight.t()
            best = scores.argmax(-1)
            return scores, best

    def loss(model, ids):
        scores, best = model(ids)
        return (scores.logsumexp(-1) - scores[..., 0]).mean()
"""
IDS = torch.tensor([[0, 3, 1], [2, 2, 4]])


class Nudged(Recorder):
    """A recorder that adds ``nudge`` to what one place hands on: what the code computes from there on is another."""

    def __init__(self, target: int = -1, nudge: Any = None) -> None:
        super().__init__()
        self.target, self.nudge, self.count = target, nudge, -1
        self.seen: list[tuple[int, Any]] = []  # of each tensor handed on: its record, the tensor

    def _handed_on(self, value: Any) -> Any:
        if not (isinstance(value, torch.Tensor) and value.is_floating_point() and self._pass):
            return value
        self.count += 1
        self.seen.append((len(self.records) - 1, value.detach().clone()))
        return value + self.nudge if self.count == self.target else value

    def op(self, call: Any, site: int, value: Any) -> Any:
        return self._handed_on(super().op(call, site, value))

    def result(self, call: Any, site: int, value: Any) -> Any:
        return self._handed_on(super().result(call, site, value))


def passed(folder: Path, recorder: Recorder) -> tuple[float, Any]:
    """The loss of the foreign model in double precision, its pass recorded with gradients; and the model."""
    torch.manual_seed(1)
    _, names = recorded.compiled(folder, FOREIGN, recorder)
    model = names["model"].double()
    with gradients(recorder, "forward", model) as of:
        loss = names["loss"](model, IDS)
        of(loss)
    return loss.item(), model


def trace_of(recorder: Recorder) -> Trace:
    recorder.name_axes()
    trace = Trace(_content("test", recorder, {"facts": {}, "log": {}}), Arrays(Path("nowhere")))
    for value in trace._values:
        if value.type == "tensor":
            object.__setattr__(value, "arrays", recorder.arrays)
    return trace


def test_every_recorded_gradient_is_what_a_change_at_its_place_does_to_the_result(tmp_path: Path) -> None:
    first = Nudged()
    passed(tmp_path, first)
    offset = sum(1 for row in first.records if first.calls[row[0]][0] == "forward")
    by_place: dict[tuple[int, int], list[int]] = {}  # (call from its pass's first on, site) -> records in that order
    begin = next(i for i, call in enumerate(first.calls) if call[0] == "forward-grad")
    for row in first.records[offset:]:
        by_place.setdefault((row[0] - begin, row[1]), []).append(row[2])
    step, checked = 1e-5, 0
    for target, (number, value) in enumerate(first.seen):
        call, site = first.records[number][:2]
        round = sum(first.records[earlier][:2] == (call, site) for earlier, _ in first.seen[:target])
        grads = by_place.get((call, site), [])[round : round + 1]
        direction = torch.randn(value.shape, generator=torch.Generator().manual_seed(target), dtype=value.dtype)
        above, below = (passed(tmp_path, Nudged(target, sign * step * direction))[0] for sign in (1, -1))
        slope = (above - below) / (2 * step)
        if not grads:
            assert slope == pytest.approx(0, abs=1e-9), first.sites.rows[site]
            continue
        (grad,) = grads
        array = first.arrays[first.values[grad]["digest"]]
        assert array.shape == tuple(value.shape)
        assert (array * direction.numpy()).sum() == pytest.approx(slope, rel=1e-6, abs=1e-9), first.sites.rows[site]
        checked += 1
    assert checked >= 25


def test_names_lead_to_gradients_of_values_tuples_and_parameters(tmp_path: Path) -> None:
    recorder = Recorder()
    passed(tmp_path, recorder)
    trace = trace_of(recorder)
    names, plain = GradientNames({"test": trace}, {}), Names({"test": trace}, {})
    seen = names.resolve("test.forward/mixers.0/seen.grad")
    assert seen.value and seen.value.shape == names.resolve("test.forward/mixers.0/seen").value.shape  # type: ignore[union-attr]
    assert seen.value == plain.resolve("test.forward-grad/mixers.0/seen").value
    assert names.resolve("test.forward/mixers.0/seen.grad.shape").value.shape == (2, 3, 3)  # type: ignore[union-attr]
    number = names.resolve("test.forward/mixers.1/seen.grad[0, 2, 1]").scalar
    assert number == recorder.arrays[names.resolve("test.forward/mixers.1/seen.grad").value.digest][0, 2, 1]  # type: ignore[union-attr]
    weight = plain.resolve("test.params/mixers.0.both.weight.grad").value
    assert weight and weight.shape == (12, 6)


def test_parameters_get_what_backward_would_give_them_and_keep_none_of_it(tmp_path: Path) -> None:
    recorder = Recorder()
    _, model = passed(tmp_path, recorder)
    assert all(p.grad is None for p in model.parameters())
    trace = trace_of(recorder)
    scores, _ = model(IDS)
    (scores.logsumexp(-1) - scores[..., 0]).mean().backward()
    for name, p in model.named_parameters():
        if name.startswith("unused"):
            assert f"{name}.grad" not in trace.params
        else:
            found = recorder.arrays[trace.params[f"{name}.grad"].digest]
            np.testing.assert_allclose(found, p.grad.numpy(), rtol=1e-12)


def test_the_pass_itself_is_recorded_as_without_gradients(tmp_path: Path) -> None:
    with_them, without = Recorder(), Recorder()
    passed(tmp_path, with_them)
    torch.manual_seed(1)
    _, names = recorded.compiled(tmp_path, FOREIGN, without)
    model = names["model"].double()
    with without("forward", model):
        names["loss"](model, IDS)
    count = len(without.records)
    assert with_them.records[:count] == without.records
    assert with_them.calls[: len(without.calls)] == without.calls
    assert with_them.tape.entries == without.tape.entries
    assert [v["digest"] for v in with_them.values[: len(without.values)]] == [v["digest"] for v in without.values]


def test_a_gradient_has_the_letters_of_its_tensor(tmp_path: Path) -> None:
    recorder = Recorder()
    torch.manual_seed(1)
    _, names = recorded.compiled(tmp_path, FOREIGN, recorder)
    with gradients(recorder, "forward", names["model"]) as of:
        of(names["loss"](names["model"], IDS))
    with recorder.sizes("forward", names["model"], B=2, T=3):
        names["loss"](names["model"], IDS)
    trace = trace_of(recorder)
    found = GradientNames({"test": trace}, {})
    assert letters([2, 3, 3], {"B": 2, "T": 3}) == ["B", "T", "T"]
    assert found.resolve("test.forward/mixers.0/seen.grad").value.axes == ("B", "T", "T")  # type: ignore[union-attr]


def test_a_value_before_a_write_in_place_keeps_its_own_gradient(tmp_path: Path) -> None:
    recorder = Recorder()
    code = """
    def f(x):
        y = x * 2
        y *= 5
        y[0] = 0
        return y.sum()
    """
    _, names = recorded.compiled(tmp_path, code, recorder)
    with gradients(recorder, "forward") as of:
        of(names["f"](torch.ones(2, requires_grad=True)))
    trace = trace_of(recorder)
    found = [
        recorder.arrays[r.value.digest].tolist()
        for r in trace.records(trace.calls(pass_="forward-grad")[0])
        if r.site.name == "y"
    ]
    assert found == [[0.0, 5.0], [0.0, 1.0], [1.0, 1.0]]


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (lambda x: None, "a NoneType"),
        (lambda x: x, r"shape \(3,\)"),
        (lambda x: x.detach().sum(), "no way back"),
        (lambda x: np.float64(1.0), "float64"),
    ],
)
def test_what_has_no_gradient_is_told(chosen: Any, said: str) -> None:
    recorder, x = Recorder(), torch.ones(3, requires_grad=True)
    with pytest.raises(ValueError, match=said), gradients(recorder, "forward") as of:
        of(chosen(x))
    assert "_record" not in vars(recorder)


def test_a_pass_without_a_choice_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"call of\(loss\)"), gradients(Recorder(), "forward"):
        pass


def test_of_a_pass_without_gradients_the_message_says_so(tmp_path: Path) -> None:
    recorder = Recorder()
    _, names = recorded.compiled(tmp_path, "def f(x):\n        y = x + 1\n        return y", recorder)
    with recorder("forward"):
        names["f"](torch.ones(2))
    with pytest.raises(UnknownName, match="recorded without gradients: no pass of this run"):
        GradientNames({"test": trace_of(recorder)}, {}).resolve("test.forward/y.grad")
