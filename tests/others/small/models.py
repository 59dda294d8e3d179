"""Models as people write them: a tagger, a mixture of experts, attention in NumPy."""

import numpy as np
import torch
from torch import nn


class Tagger(nn.Module):
    def __init__(self, words=31, tags=5, width=12):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.lstm = nn.LSTM(width, width, batch_first=True, bidirectional=True)
        self.to_tags = nn.Linear(2 * width, tags)

    def forward(self, words):
        out, _ = self.lstm(self.embed(words))
        return self.to_tags(out).log_softmax(-1)


class Experts(nn.Module):
    def __init__(self, width=12, count=3, most=2):
        super().__init__()
        self.gate = nn.Linear(width, count)
        self.experts = nn.ModuleList(nn.Linear(width, width) for _ in range(count))
        self.most = most

    def forward(self, x):
        rows = x.view(-1, x.size(-1))
        weights, chosen = self.gate(rows).softmax(-1).topk(self.most, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        out = torch.zeros_like(rows)
        for number, expert in enumerate(self.experts):
            which, place = torch.where(chosen == number)
            if which.numel() == 0:
                continue
            given = expert(rows[which])
            out.index_add_(0, which, given * weights[which, place, None])
        return x + out.view_as(x)


def softmax(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def attention(x, heads, w_qkv, w_out):
    """Causal attention over (T, C), in NumPy alone."""
    q, k, v = np.split(x @ w_qkv, 3, axis=-1)
    outs = []
    for head in range(heads):
        part = slice(head * x.shape[1] // heads, (head + 1) * x.shape[1] // heads)
        att = q[:, part] @ k[:, part].T / np.sqrt(part.stop - part.start)
        att = np.where(np.tri(len(x)) == 0, -np.inf, att)
        outs.append(softmax(att) @ v[:, part])
    return np.concatenate(outs, axis=-1) @ w_out
