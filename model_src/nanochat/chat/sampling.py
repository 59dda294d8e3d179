"""From logits to the next token: the likeliest one, or one that is drawn."""

import math

import torch
from torch.nn import functional as F

GREEDY_BELOW = 1e-6  # a colder temperature can't change anything: float32 tells logits near 15 apart by so much


def sample_next_token(logits, rng, temperature=1.0, top_k=None, top_p=None):
    """(B, V) -> (B, 1): for each row a token, drawn by the generator ``rng``, which serves one row after the other.

    A ``temperature`` below 1 sharpens the distribution, above 1 flattens it, 0 takes the likeliest (the first of
    equals). ``top_k`` draws among the k best alone (0 or None: among all); ``top_p`` among the fewest that have
    together, after ``top_k`` and ``temperature``, at least this probability (None: among all).
    """
    check_sampling(temperature, top_k, top_p)
    if temperature < GREEDY_BELOW:
        return logits.argmax(dim=-1, keepdim=True)
    tokens = None
    if top_k:
        k = min(top_k, logits.size(-1))
        logits, tokens = torch.topk(logits, k)                 # (B, k), the best first
    probs = F.softmax(logits / temperature, dim=-1)            # (B, V) or (B, k)
    if top_p is not None:
        probs = keep_nucleus(probs, top_p)
    place = torch.multinomial(probs, num_samples=1, generator=rng)
    if tokens is None:
        return place                                           # places in all of V are token ids
    return tokens.gather(-1, place)


def keep_nucleus(probs, top_p):
    """(B, N) -> (B, N): the fewest that reach ``top_p`` together stay, at least one; the others become 0.

    Holtzman et al., 2020, section 3.1. The rows no longer add up to 1; ``torch.multinomial`` doesn't ask for that.
    """
    ordered, places = probs.sort(dim=-1, descending=True, stable=True)
    better = ordered.cumsum(dim=-1) - ordered                  # what those before it have together
    beyond = better >= top_p
    beyond[:, 0] = False
    kept = ordered.masked_fill(beyond, 0.0)
    return torch.zeros_like(probs).scatter(-1, places, kept)   # in the old order again


def check_sampling(temperature, top_k, top_p):
    """ValueError where one of the three makes no sense."""
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature={temperature}: 0 (the likeliest token) or a number above is needed")
    if top_k is not None and top_k < 0:
        raise ValueError(f"top_k={top_k}: draw among 1 or more, or among all with 0 or None")
    if top_p is not None and not 0 <= top_p <= 1:
        raise ValueError(f"top_p={top_p}: a probability from 0 to 1 is needed, or None")
