"""The sort task: its data, and the model that its recipe trains."""

from itertools import pairwise

import pytest
import torch

from nanogpt import sort

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def trained():
    """The model after its recipe, and what was reported meanwhile."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    history = []
    model = sort.train(report=lambda step, **values: history.append((step, values)))
    yield model, history
    torch.set_num_threads(threads)


def test_example_of_the_book() -> None:
    idx, targets = sort.example("CBABBC")
    assert sort.decode(idx) == "CBABBCABBBC"
    assert sort.decode(targets) == "-----ABBBCC"
    assert idx.shape == targets.shape == (1, 11)


def test_all_words_and_answers() -> None:
    words = sort.all_words()
    idx, targets = sort.all_examples()
    assert words.shape == (729, 6)
    assert len(words.unique(dim=0)) == 729
    assert idx.shape == targets.shape == (729, 11)
    assert (targets == sort.IGNORED).sum() == 729 * 5
    assert len(targets[:, 5:].unique(dim=0)) == 28
    distinct = [len(word.unique()) for word in words]
    assert [distinct.count(n) for n in (3, 2, 1)] == [540, 186, 3]


def test_split_is_the_same_everywhere() -> None:
    held_out = sort.is_held_out(sort.all_words())
    assert held_out.sum() == 180
    assert [sort.decode(word) for word in sort.all_words()[held_out][:3]] == ["AAAABB", "AAABAA", "AAABAC"]


def test_wrong_words_are_named() -> None:
    with pytest.raises(ValueError, match=r"'CXA' holds X"):
        sort.encode("CXA")
    with pytest.raises(ValueError, match="'CBA' has 3 letters"):
        sort.example("CBA")


def test_sizes() -> None:
    with torch.device("meta"):
        model = sort.GPT(sort.config())
    assert model.get_num_params(non_embedding=False) == 85_584
    assert model.get_num_params() == 85_056


def test_learning_rate_rises_then_falls() -> None:
    rates = [sort.get_lr(step) for step in range(sort.MAX_ITERS)]
    top = rates.index(max(rates))
    assert top == sort.WARMUP_ITERS - 1
    assert all(a <= b for a, b in pairwise(rates[: top + 1])) and rates[0] < rates[top] / 5
    assert all(a >= b for a, b in pairwise(rates[top:]))
    assert rates[-1] == sort.MIN_LEARNING_RATE


def test_the_recipe_sorts_nearly_every_word(trained) -> None:
    model, history = trained
    found = sort.evaluate(model)
    assert found["accuracy"] >= 0.99
    assert found["accuracy_held_out"] >= 0.98
    weighed = found["accuracy_trained"] * 549 + found["accuracy_held_out"] * 180
    assert found["accuracy"] == pytest.approx(weighed / 729)
    assert history[0][1]["loss"] == pytest.approx(1.0986, abs=0.35)
    assert history[-1][0] == sort.MAX_ITERS - 1
    assert history[-1][1]["loss"] < 0.01


def test_sorted_words_are_read_off_one_by_one(trained) -> None:
    model, _ = trained
    words = torch.cat([sort.encode(word) for word in ("CBABBC", "AAAAAA", "CCBBAA")])
    assert [sort.decode(word) for word in sort.sort_words(model, words)] == ["ABBBCC", "AAAAAA", "AABBCC"]
    greedy = model.generate(words, sort.LENGTH, top_k=1)[:, sort.LENGTH :]
    assert torch.equal(greedy, sort.sort_words(model, words))


def test_accuracy_counts_whole_words() -> None:
    class Alphabet(torch.nn.Module):
        """Writes As alone: right for one word only."""

        def forward(self, idx):
            return torch.tensor([1.0, 0.0, 0.0]).expand(len(idx), 1, 3), None

    assert sort.accuracy(Alphabet()) == 1 / 729


def test_training_is_repeatable_and_leaves_random_numbers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sort, "MAX_ITERS", 3)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one = sort.train()
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(7)
    other = sort.train()
    assert not one.training
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
