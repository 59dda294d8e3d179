"""Reinforcement learning: the loss against its formula, pass@k against counting, and a model that learns by it."""

from itertools import combinations
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from nanochat.chat.reinforcement import Group, padded, pass_at_k, policy_loss
from nanochat.cli.chat_rl import RLSettings, begin_rl, evaluate_passes, learn, run_rl, sample_step, take_rl_step
from nanochat.gpt import GPT, GPTConfig
from nanochat.tasks.task import Conversation, Task
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer
from nanochat.training.settings import Settings

TOKENIZER = RustBPETokenizer.train_from_iterator(["abc"], 256 + len(SPECIAL_TOKENS))
BASE = Settings(n_embd=16, head_dim=8, depth=1, max_seq_len=32, device="cpu")


class SayA(Task):
    """The more an answer has of the letter a, the better it is."""

    def num_examples(self) -> int:
        return 4

    def get_example(self, index: int) -> Conversation:
        question = {"role": "user", "content": "abcd"[index]}
        return {"messages": [question, {"role": "assistant", "content": "a"}]}

    def evaluate(self, conversation: Conversation, completion: str) -> bool:
        return "a" in completion


def small() -> GPT:
    torch.manual_seed(3)
    model = GPT(GPTConfig(32, TOKENIZER.get_vocab_size(), 1, n_head=2, n_kv_head=2, n_embd=16))
    torch.nn.init.normal_(model.lm_head.weight, std=0.05)
    return model


def test_the_loss_is_the_formula() -> None:
    model = small()
    ids, mask = torch.randint(200, (3, 9)), torch.randint(2, (3, 9))
    advantages = torch.tensor([0.5, -1.0, 0.25])
    log_probs = F.log_softmax(model(ids), dim=-1)
    total, count = torch.zeros(()), 0
    for b in range(3):
        for t in range(1, 9):
            if mask[b, t]:
                total = total + advantages[b] * log_probs[b, t - 1, ids[b, t]]
                count += 1
    torch.testing.assert_close(policy_loss(model, ids, mask, advantages), -total / count)


def test_where_nothing_was_chosen_there_is_no_loss() -> None:
    assert policy_loss(small(), torch.ones(2, 4).long(), torch.zeros(2, 4), torch.tensor([1.0, -1.0])) == 0


def test_equal_rewards_teach_nothing() -> None:
    model = small()
    group = Group(torch.randint(200, (4, 9)), torch.ones(4, 9), torch.ones(4), [""] * 4)
    policy_loss(model, group.ids, group.mask, group.advantages).backward()
    assert all(not p.grad.any() for p in model.parameters())


def test_good_answers_become_likelier_and_bad_ones_less_likely() -> None:
    model = small()
    ids, mask = torch.randint(200, (2, 6)), torch.ones(2, 6)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def log_prob() -> torch.Tensor:
        losses = model(ids[:, :-1], ids[:, 1:], loss_reduction="none")
        return -losses.view(2, 5).sum(dim=1).detach()

    before = log_prob()
    policy_loss(model, ids, mask, torch.tensor([0.5, -0.5])).backward()
    optimizer.step()
    better, worse = log_prob() - before
    assert better > 0 > worse


def test_short_answers_are_filled_up_with_what_does_not_count() -> None:
    ids, mask = padded([[1, 2], [1, 2, 3, 4]], [[0, 1], [0, 1, 0, 1]], 9)
    assert ids.tolist() == [[1, 2, 9, 9], [1, 2, 3, 4]]
    assert mask.tolist() == [[0, 1, 0, 0], [0, 1, 0, 1]]


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=8), st.data())
def test_pass_at_k_is_the_share_of_draws_with_a_right_one(rewards: list[float], data: st.DataObject) -> None:
    k = data.draw(st.integers(1, len(rewards)))
    draws = list(combinations(rewards, k))
    assert pass_at_k(rewards, k) == pytest.approx(sum(any(draw) for draw in draws) / len(draws))


@pytest.mark.parametrize("k", [0, 4])
def test_more_answers_than_there_are_cannot_be_drawn(k: int) -> None:
    with pytest.raises(ValueError, match=f"k={k}: of 3 answers, 1 to 3 can be drawn"):
        pass_at_k([0, 1, 1], k)


def begin(**changes: object):
    sizes = {"num_steps": 30, "questions": 4, "num_samples": 8, "device_batch_size": 8, "max_tokens": 3}
    settings = RLSettings(**{**sizes, "init_lr_frac": 1.0, **changes})
    return begin_rl(settings, BASE, small(), TOKENIZER, SayA())


def test_a_model_learns_what_is_rewarded() -> None:
    torch.set_num_threads(1)
    rl, heard = begin(top_k=0), []
    before = evaluate_passes(rl.engine, TOKENIZER, SayA(), 8, 3, seed=999)
    run_rl(rl, lambda step, **values: heard.append((step, values)))
    after = evaluate_passes(rl.engine, TOKENIZER, SayA(), 8, 3, seed=999)
    assert [step for step, _ in heard] == list(range(30))
    assert after["pass@1"] > before["pass@1"] + 0.2
    assert all(after[f"pass@{k}"] <= after[f"pass@{k + 1}"] for k in range(1, 8))
    assert rl.optimizer.param_groups[0]["lr"] < rl.optimizer.param_groups[0]["initial_lr"] / 6  # falls to nothing


@pytest.mark.parametrize("size", [8, 4, 2])
def test_passes_of_any_size_have_the_loss_of_all_answers_at_once(size: int) -> None:
    torch.manual_seed(5)
    ids, mask = torch.randint(200, (8, 9)), torch.ones(8, 9)  # equally many chosen tokens in every pass
    group = Group(ids, mask, torch.arange(8.0), [""] * 8)
    rl = begin(device_batch_size=size, questions=1)
    with torch.no_grad():
        whole = policy_loss(rl.model, ids, mask, group.advantages).item()
    assert abs(whole) > 1e-3
    assert learn(rl, [group]) == pytest.approx(whole, rel=1e-4)
    assert rl.step == 1


def test_what_is_said_of_a_step_is_counted() -> None:
    rl = begin()
    groups = sample_step(rl)
    values = take_rl_step(rl)
    rewards = [[float("a" in text) for text in group.texts] for group in groups]
    assert values["reward"] == pytest.approx(sum(map(sum, rewards)) / 32)
    assert values["alike"] == pytest.approx(sum(len(set(row)) == 1 for row in rewards) / 4)
    assert values["tokens"] == pytest.approx(sum(int(group.mask.sum()) for group in groups) / 32)


def test_processes_ask_different_questions() -> None:
    world = SimpleNamespace(rank=1, size=2, device="cpu")
    rl = begin_rl(RLSettings(questions=4, max_tokens=1), BASE, small(), TOKENIZER, SayA(), world)
    prompts = [TOKENIZER.decode(group.ids[0].tolist())[len("<|bos|><|user_start|>")] for group in sample_step(rl)]
    assert prompts == ["b", "d"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_samples": 6, "device_batch_size": 4}, "num_samples=6 answers can't be shared out evenly among passes"),
        ({"num_steps": 0}, "num_steps=0: 1 is the least"),
    ],
)
def test_settings_that_make_no_sense_are_refused(changes: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        begin(**changes)
