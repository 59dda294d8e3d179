"""Reinforcement learning from rewards: what the model wrote itself is made likelier where it was right.

REINFORCE (Williams, 1992) on the model's own samples, with the mean reward of a question's samples as the baseline,
as in GRPO (Shao et al., 2024) without its ratio, its clipping, its reference model and its division by the spread.
"""

from dataclasses import dataclass

import torch


@dataclass
class Group:
    """Several answers to one question; N of them, T + 1 tokens each, short ones filled up."""

    ids: torch.Tensor         # (N, T + 1), the prompt and what follows
    mask: torch.Tensor        # (N, T + 1), 1 where the model itself chose the token
    rewards: torch.Tensor     # (N,)
    texts: list               # what was answered

    @property
    def advantages(self):
        """(N,): how much better than the mean of the group."""
        return self.rewards - self.rewards.mean()


def sample_group(engine, tokenizer, task, conversation, num_samples, max_tokens, temperature=1.0, top_k=50, seed=42):
    """Let the model answer a question several times, and score each answer."""
    prompt = tokenizer.render_for_completion(conversation)
    sequences, masks = engine.generate_batch(
        prompt, num_samples, max_tokens=max_tokens, temperature=temperature, top_k=top_k, seed=seed
    )
    texts = [tokenizer.decode(sequence[len(prompt):]) for sequence in sequences]
    rewards = torch.tensor([task.reward(conversation, text) for text in texts])
    ids, mask = padded(sequences, masks, tokenizer.encode_special("<|assistant_end|>"))
    return Group(ids, mask, rewards, texts)


def padded(sequences, masks, filler):
    """Lists of unequal length -> two tensors (N, longest); the filler's mask is 0."""
    longest = max(len(sequence) for sequence in sequences)
    ids = [sequence + [filler] * (longest - len(sequence)) for sequence in sequences]
    chosen = [mask + [0] * (longest - len(mask)) for mask in masks]
    return torch.tensor(ids), torch.tensor(chosen)


def policy_loss(model, ids, mask, advantages):
    """Tokens and masks (N, T + 1), advantages (N,) -> one number whose gradient makes good answers likelier.

    Minus the mean over all chosen tokens of advantage times log probability.
    """
    targets = ids[:, 1:].masked_fill(mask[:, 1:] == 0, -1)
    losses = model(ids[:, :-1], targets, loss_reduction='none')   # (N * T,), 0 where nothing was chosen
    log_probs = -losses.view(targets.shape)                       # (N, T)
    chosen = (targets >= 0).sum().clamp(min=1)
    weighted = log_probs * advantages.unsqueeze(-1)
    return -weighted.sum() / chosen


def pass_at_k(rewards, k):
    """The chance that of k answers drawn from these at least one is right (Chen et al., 2021, section 2.1)."""
    n = len(rewards)
    if not 1 <= k <= n:
        raise ValueError(f"k={k}: of {n} answers, 1 to {n} can be drawn")
    right = sum(1 for reward in rewards if reward > 0)
    wrong_alone = 1.0
    for i in range(k):
        wrong_alone *= max(0, n - right - i) / (n - i)
    return 1 - wrong_alone
