"""The modern model: what nanochat changes in GPT-2's transformer, each change in lines of its own.

Two generations live here. CLASSIC (October 2025) is what ``GPTConfig()`` gives; ``GPTConfig.newest()`` switches on
what was found by July 2026. Every later change is one field of the config (``config.py``), off by default.

Sizes have one letter each, here and in every comment: B sequences in a batch, T tokens in each, C numbers for a
token (``n_embd``), H query heads and G key/value heads of D = C / H numbers, V words in the vocabulary, L blocks.
"""

import math

import torch
import torch.distributed as dist
import torch.nn as nn
from torch.nn import functional as F

from nanochat.config import GPTConfig, window_sizes
from nanochat.training.groups import OptimConfig, parameter_groups
from nanochat.training.init import init_classic, init_extras, init_uniform
from nanochat.training.optim import DistMuonAdamW, MuonAdamW

SMEAR_CHANNELS = 24  # so many numbers of a token decide how much of its predecessor it takes in
GATE_CHANNELS = 12   # and so many how much of its value embedding
ROTARY_SPARE = 10    # rotations are prepared for sequences ten times as long as those of training


def norm(x):
    """(..., C) -> (..., C), the root of the mean square made 1; no gain (Zhang & Sennrich, 2019).

    The smallest number of x's dtype that makes a difference to 1 is added, against a division by zero.
    """
    return F.rms_norm(x, (x.size(-1),))


def rotary_tables(length, head_dim, base, device):
    """cos and sin of every angle, (1, length, 1, D/2) each: position t turns pair j by t * base^(-2j/D).

    Su et al., 2021, section 3.2.2. Two tokens are compared by the difference of their angles alone.
    """
    j = torch.arange(head_dim // 2, dtype=torch.float32, device=device)
    speed = base ** (-2 * j / head_dim)                                    # (D/2,) radians a token
    t = torch.arange(length, dtype=torch.float32, device=device)
    angle = torch.outer(t, speed).view(1, length, 1, head_dim // 2)
    return angle.cos(), angle.sin()


def apply_rotary_emb(x, cos, sin):
    """(B, T, H, D) -> (B, T, H, D), number j and number j + D/2 of each head turned as a pair.

    By minus the angle, which nanochat's checkpoints ask for; differences of angles don't mind.
    """
    x1, x2 = x.chunk(2, dim=-1)
    y1 = x1 * cos + x2 * sin
    y2 = x2 * cos - x1 * sin
    return torch.cat([y1, y2], dim=-1)


def attention_mask(T, past, window, device):
    """Who sees whom, (T, past + T): a token sees itself and ``window`` tokens before, never one after.

    The T queries follow on ``past`` tokens that are remembered.
    """
    query = torch.arange(past, past + T, device=device).view(T, 1)
    key = torch.arange(past + T, device=device)
    distance = query - key
    return (distance >= 0) & (distance <= window)


class Linear(nn.Linear):
    """Without bias; the weights are kept in full precision and multiply in the precision of the input."""

    def __init__(self, in_features, out_features):
        super().__init__(in_features, out_features, bias=False)

    def forward(self, x):
        """(..., in) -> (..., out)."""
        return F.linear(x, self.weight.to(x.dtype))


class CausalSelfAttention(nn.Module):
    """Each token compares its query with the keys of those before it, and takes in their values.

    H query heads share G key/value heads (Ainslie et al., 2023). As in nanoGPT two branches compute the same thing:
    one fused operation where PyTorch has it, else step by step.
    """

    def __init__(self, config, layer_idx):
        super().__init__()
        assert config.n_embd % config.n_head == 0, (
            f"n_embd={config.n_embd} numbers can't be shared out evenly among n_head={config.n_head} heads"
        )
        assert config.n_head % config.n_kv_head == 0, (
            f"n_head={config.n_head} queries can't be shared out evenly among n_kv_head={config.n_kv_head} keys"
        )
        self.layer_idx = layer_idx
        self.n_head = config.n_head
        self.n_kv_head = config.n_kv_head
        self.head_dim = config.n_embd // config.n_head
        assert self.head_dim % 2 == 0, f"heads of {self.head_dim} numbers can't be turned in pairs"
        self.qk_norm = config.qk_norm
        self.qk_scale = config.qk_scale
        self.c_q = Linear(config.n_embd, self.n_head * self.head_dim)
        self.c_k = Linear(config.n_embd, self.n_kv_head * self.head_dim)
        self.c_v = Linear(config.n_embd, self.n_kv_head * self.head_dim)
        self.c_proj = Linear(config.n_embd, config.n_embd)  # mixes the heads
        if layer_idx in config.ve_layers:
            assert config.n_embd >= GATE_CHANNELS, f"a gate reads {GATE_CHANNELS} numbers of {config.n_embd}"
            self.ve_gate = Linear(GATE_CHANNELS, self.n_kv_head)
        self.flash = hasattr(torch.nn.functional, 'scaled_dot_product_attention')

    def forward(self, x, cos, sin, window, ve=None, kv_cache=None):
        """(B, T, C) -> (B, T, C); ``ve`` is the layer's value embedding (B, T, GD), if it has one.

        With a ``kv_cache``, keys and values of earlier calls are seen too, and those of this call are kept.
        """
        B, T, C = x.size()
        q = self.c_q(x).view(B, T, self.n_head, self.head_dim)
        k = self.c_k(x).view(B, T, self.n_kv_head, self.head_dim)
        v = self.c_v(x).view(B, T, self.n_kv_head, self.head_dim)
        if ve is not None:
            gate = 3 * torch.sigmoid(self.ve_gate(x[..., :GATE_CHANNELS]))   # (B, T, G), between 0 and 3
            v = v + gate.unsqueeze(-1) * ve.view(B, T, self.n_kv_head, self.head_dim)

        q = apply_rotary_emb(q, cos, sin)
        k = apply_rotary_emb(k, cos, sin)
        if self.qk_norm:
            q = norm(q) * self.qk_scale
            k = norm(k) * self.qk_scale

        past = 0
        if kv_cache is not None:
            past = kv_cache.get_pos()
            k_cache, v_cache = kv_cache.get_layer_cache(self.layer_idx)      # (B, T max, G, D) each
            k_cache[:, past:past + T] = k
            v_cache[:, past:past + T] = v
            k = k_cache[:, :past + T]
            v = v_cache[:, :past + T]

        mask = attention_mask(T, past, window, x.device)
        y = self.attend(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), mask)
        y = y.transpose(1, 2).contiguous().view(B, T, C)                     # the heads side by side again
        return self.c_proj(y)

    def attend(self, q, k, v, mask):
        """Queries (B, H, T, D), keys and values (B, G, past + T, D), a mask -> (B, H, T, D)."""
        if self.flash:
            shared = self.n_kv_head < self.n_head
            return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, enable_gqa=shared)
        k = k.repeat_interleave(self.n_head // self.n_kv_head, dim=1)        # H / G queries ask the same key
        v = v.repeat_interleave(self.n_head // self.n_kv_head, dim=1)
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(self.head_dim))   # (B, H, T, past + T)
        att = att.masked_fill(~mask, float('-inf'))
        att = F.softmax(att, dim=-1)
        return att @ v


class MLP(nn.Module):
    """Each token by itself: to four times the width, a bend, and back.

    The bend is max(0, x) squared (So et al., 2021): cheaper than GELU, and many numbers become exactly zero.
    """

    def __init__(self, config):
        super().__init__()
        self.c_fc = Linear(config.n_embd, 4 * config.n_embd)
        self.c_proj = Linear(4 * config.n_embd, config.n_embd)

    def forward(self, x):
        """(B, T, C) -> (B, T, C), by way of (B, T, 4C)."""
        x = self.c_fc(x)
        x = F.relu(x).square()
        x = self.c_proj(x)
        return x


class Block(nn.Module):
    """Attention, then MLP; each reads a normalised copy of the residual stream and adds its result to it."""

    def __init__(self, config, layer_idx):
        super().__init__()
        self.attn = CausalSelfAttention(config, layer_idx)
        self.mlp = MLP(config)

    def forward(self, x, cos, sin, window, ve=None, kv_cache=None):
        """(B, T, C) -> (B, T, C); the rest is handed to attention."""
        x = x + self.attn(norm(x), cos, sin, window, ve, kv_cache)
        x = x + self.mlp(norm(x))
        return x


class GPT(nn.Module):
    """Tokens in, for each position the logits of the token that follows."""

    def __init__(self, config: GPTConfig, dtype=torch.float32):
        """A model with fresh weights; ``dtype`` is what it computes in, and what embeddings are stored in.

        On the meta device a model costs nothing: count it, or call ``to_empty`` and ``init_weights``.
        """
        super().__init__()
        self.config = config
        self.dtype = dtype
        self.window_sizes = window_sizes(config)
        L, C, V = config.n_layer, config.n_embd, config.padded_vocab_size
        stored = torch.float32 if dtype == torch.float16 else dtype  # GradScaler takes no float16 gradients
        wte = nn.Embedding(V, C, dtype=stored)
        h = nn.ModuleList([Block(config, i) for i in range(L)])
        self.transformer = nn.ModuleDict({'wte': wte, 'h': h})
        self.lm_head = Linear(C, V)  # a matrix of its own: what reads words need not write them

        if config.residual_lambdas:
            self.resid_lambdas = nn.Parameter(torch.empty(L))
            self.x0_lambdas = nn.Parameter(torch.empty(L))
        if config.smear:
            assert C >= SMEAR_CHANNELS, f"smear reads {SMEAR_CHANNELS} numbers of a token; n_embd={C} has fewer"
            self.smear_lambda = nn.Parameter(torch.empty(1))
            self.smear_gate = Linear(SMEAR_CHANNELS, 1)
        if config.backout:
            self.backout_lambda = nn.Parameter(torch.empty(1))
        width = config.n_kv_head * C // config.n_head
        tables = {str(i): nn.Embedding(V, width, dtype=stored) for i in config.ve_layers}
        self.value_embeds = nn.ModuleDict(tables)
        for name in ("cos", "sin"):
            self.register_buffer(name, torch.empty(0), persistent=False)
        self.init_weights()

    def get_device(self):
        """Where the weights are, and so where tokens must be."""
        return self.transformer.wte.weight.device

    def init_weights(self):
        """Draw the weights and compute the tables of rotations."""
        if self.config.uniform_init:
            init_uniform(self)
        else:
            init_classic(self)
        init_extras(self)
        length = ROTARY_SPARE * self.config.sequence_len
        head_dim = self.config.n_embd // self.config.n_head
        cos, sin = rotary_tables(length, head_dim, self.config.rope_base, self.get_device())
        self.cos = cos.to(self.dtype)
        self.sin = sin.to(self.dtype)

    def forward(self, idx, targets=None, kv_cache=None, loss_reduction='mean'):
        """Token ids (B, T) -> logits (B, T, V) in float32, or the loss where there are ``targets``.

        The loss is the cross entropy in nats against ``targets`` (B, T), where -1 says "don't count this one":
        its mean, its sum, or with ``loss_reduction='none'`` one number a token, (B * T,).
        A ``kv_cache`` remembers: ``idx`` then holds only what is new.
        """
        T = idx.size(1)
        past = 0 if kv_cache is None else kv_cache.get_pos()
        assert past + T <= self.cos.size(1), (
            f"a sequence of {past + T} tokens, but only {self.cos.size(1)} rotations are prepared"
        )
        cos = self.cos[:, past:past + T]
        sin = self.sin[:, past:past + T]

        x = self.transformer.wte(idx).to(self.dtype)      # (B, T, C)
        x = norm(x)
        if self.config.smear:
            x = self.smear(x, kv_cache)
        x0 = x
        for i, block in enumerate(self.transformer.h):
            if self.config.residual_lambdas:
                x = self.resid_lambdas[i] * x + self.x0_lambdas[i] * x0
            ve = None
            if str(i) in self.value_embeds:
                ve = self.value_embeds[str(i)](idx).to(self.dtype)
            x = block(x, cos, sin, self.window_sizes[i], ve, kv_cache)
            if i == self.config.n_layer // 2:
                halfway = x
        if kv_cache is not None:
            kv_cache.advance(T)
        if self.config.backout:
            x = x - self.backout_lambda.to(x.dtype) * halfway
        x = norm(x)

        logits = self.lm_head(x)[..., :self.config.vocab_size]
        logits = logits.float()
        if self.config.softcap:
            logits = self.config.softcap * torch.tanh(logits / self.config.softcap)
        if targets is None:
            return logits
        V = logits.size(-1)
        return F.cross_entropy(logits.view(-1, V), targets.reshape(-1), ignore_index=-1, reduction=loss_reduction)

    def smear(self, x, kv_cache=None):
        """(B, T, C) -> (B, T, C): each token plus a share of the one before it; the first has none before it."""
        before = torch.zeros_like(x[:, :1])
        if kv_cache is not None:
            if kv_cache.prev_embedding is not None:
                before = kv_cache.prev_embedding
            kv_cache.prev_embedding = x[:, -1:]
        previous = torch.cat([before, x[:, :-1]], dim=1)
        gate = torch.sigmoid(self.smear_gate(x[..., :SMEAR_CHANNELS]))   # (B, T, 1)
        return x + self.smear_lambda.to(x.dtype) * gate * previous

    def num_scaling_params(self):
        """How many numbers training can change, by kind; the powers of scaling laws are about two of them.

        Kaplan et al. (2020) left embeddings out, Hoffmann et al. (2022) counted all; nanochat fits best with
        ``transformer_matrices`` + ``lm_head``.
        """
        counts = {
            'wte': self.transformer.wte.weight.numel(),
            'value_embeds': sum(p.numel() for p in self.value_embeds.parameters()),
            'lm_head': self.lm_head.weight.numel(),
            'transformer_matrices': sum(p.numel() for p in self.transformer.h.parameters()),
        }
        total = sum(p.numel() for p in self.parameters())
        counts['scalars'] = total - sum(counts.values())
        counts['total'] = total
        return counts

    def estimate_flops(self):
        """Floating-point operations of training on one token, forward and backward (PaLM paper, appendix B).

        A weight of a matrix takes 2 forward and 4 backward; comparing with one token of the window and taking in
        its value, 4 * C forward and twice as many backward. Looking something up takes none.
        """
        matrices = sum(m.weight.numel() for m in self.modules() if isinstance(m, nn.Linear))
        seen = sum(min(window, self.config.sequence_len) for window in self.window_sizes)
        return 6 * matrices + 12 * self.config.n_embd * seen

    def setup_optimizer(
        self, unembedding_lr=0.004, embedding_lr=0.2, matrix_lr=0.02, weight_decay=0.0, scalar_lr=0.5, options=None
    ):
        """Muon for the blocks' matrices, AdamW for the rest; shared out where there are several processes.

        Rates of head and embeddings are given for C = 768 and shrink with its root; ``options`` is an OptimConfig.
        """
        options = OptimConfig() if options is None else options
        groups = parameter_groups(self, unembedding_lr, embedding_lr, matrix_lr, weight_decay, scalar_lr, options)
        several = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
        return DistMuonAdamW(groups) if several else MuonAdamW(groups)

    @torch.inference_mode()
    def generate(self, tokens, max_tokens, temperature=1.0, top_k=None, seed=42):
        """Yield tokens that follow the list ``tokens``, one by one, everything computed anew for each.

        A ``temperature`` below 1 sharpens the distribution, above 1 flattens it, 0 takes the likeliest; ``top_k``
        draws among the k best alone. Equal seeds draw equal tokens.
        """
        device = self.get_device()
        chance = torch.Generator(device=device).manual_seed(seed)
        idx = torch.tensor([tokens], dtype=torch.long, device=device)
        for _ in range(max_tokens):
            logits = self(idx)[:, -1, :]                                     # (1, V)
            if top_k is not None and top_k > 0:
                best, _ = torch.topk(logits, min(top_k, logits.size(-1)))    # (1, k), largest first
                logits = logits.masked_fill(logits < best[:, [-1]], float('-inf'))
            if temperature > 0:
                probs = F.softmax(logits / temperature, dim=-1)
                idx_next = torch.multinomial(probs, num_samples=1, generator=chance)
            else:
                idx_next = logits.argmax(dim=-1, keepdim=True)
            idx = torch.cat((idx, idx_next), dim=1)
            yield idx_next.item()
