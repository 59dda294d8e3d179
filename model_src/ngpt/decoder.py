"""What nGPT and the GPT beside it have in common: from tokens to logits, loss and more tokens."""

import torch
import torch.nn as nn
from torch.nn import functional as F


class LayerCache:
    """Keys and values of the tokens that an attention has seen, (B, H, S, D) each."""

    def __init__(self):
        self.k = self.v = None

    @property
    def length(self):
        return 0 if self.k is None else self.k.size(-2)

    def extend(self, k, v):
        """Append those of new tokens; all that there are now."""
        if self.k is not None:
            k, v = torch.cat((self.k, k), -2), torch.cat((self.v, v), -2)
        self.k, self.v = k, v
        return k, v


class Heads(nn.Module):
    """What both attentions do once they have queries, keys and values; ``self.attn_scale`` differs.

    Where PyTorch has one operation for all of it, ``flash``, it is used; the other branch computes the same step by
    step.
    """

    def __init__(self, heads, dim_head, attn_scale):
        super().__init__()
        self.heads, self.dim_head, self.attn_scale = heads, dim_head, attn_scale
        self.flash = hasattr(F, "scaled_dot_product_attention")

    def split(self, x):
        """(B, T, HD) -> (B, H, T, D): the heads side by side."""
        return x.unflatten(-1, (self.heads, self.dim_head)).transpose(1, 2)

    def merge(self, y):
        """(B, H, T, D) -> (B, T, HD)."""
        return y.transpose(1, 2).flatten(-2)

    def attend(self, q, k, v):
        """Softmax of the scaled products over the tokens that are seen, times the values: (B, H, T, D).

        The T queries belong to the last of the S keys; each sees its own token and those before.
        """
        T, S = q.size(-2), k.size(-2)
        if self.flash and T == S:          # the mask is not even made
            return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=self.attn_scale)
        seen = torch.ones(T, S, dtype=torch.bool, device=q.device).tril(S - T)
        if self.flash:
            return F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=self.attn_scale)
        att = (q @ k.transpose(-2, -1)) * self.attn_scale              # (B, H, T, S)
        att = att.masked_fill(~seen, float("-inf"))
        att = F.softmax(att, dim=-1)
        return att @ v


class Decoder(nn.Module):
    """``self.logits(idx, cache)`` is what differs; loss and generation are the same."""

    def forward(self, idx, targets=None):
        """Logits (B, T, V) of token ids (B, T), and with ``targets`` the mean loss in nats; -1 is not counted."""
        logits = self.logits(idx)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1).float(), targets.flatten(), ignore_index=-1)

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, use_cache=True):
        """Append tokens, each drawn from the model's own distribution, as nanoGPT does: (B, T) -> (B, T + new).

        With ``use_cache`` only the new token goes through the model, beside the keys and values of the others.
        """
        cache = [LayerCache() for _ in self.layers] if use_cache else None
        for _ in range(max_new_tokens):
            unseen = idx if not cache else idx[:, cache[0].length:]
            logits = self.logits(unseen, cache)[:, -1] / temperature
            if top_k is not None:
                least = logits.topk(min(top_k, logits.size(-1))).values[:, -1:]
                logits = logits.masked_fill(logits < least, float("-inf"))
            idx = torch.cat((idx, torch.multinomial(logits.softmax(-1), 1)), dim=1)
        return idx

    def num_params(self):
        """Numbers that are trained."""
        return sum(p.numel() for p in self.parameters())
