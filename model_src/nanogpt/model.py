"""The model: a decoder-only transformer after GPT-2, from one layer norm up to the whole GPT.

Sizes have one letter each, here and in every comment: B sequences in a batch, T tokens in each, C numbers for
a token (``n_embd``), H heads of D = C / H numbers, V words in the vocabulary, L blocks.
"""

import inspect
import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn as nn
from torch.nn import functional as F


class LayerNorm(nn.Module):
    """Mean 0, variance 1 for every token, then a learned gain and, if wanted, a learned shift.

    Ba, Kiros & Hinton, 2016. A class of our own: an older ``nn.LayerNorm`` can't leave out the shift alone.
    """

    def __init__(self, ndim, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(ndim))
        self.bias = nn.Parameter(torch.zeros(ndim)) if bias else None

    def forward(self, input):
        """(..., C) -> (..., C); 1e-5 is added to the variance, against a division by zero."""
        return F.layer_norm(input, self.weight.shape, self.weight, self.bias, 1e-5)


class CausalSelfAttention(nn.Module):
    """Every token looks at itself and at those before it, in H heads at once.

    Vaswani et al., 2017, section 3.2. Two branches compute the same thing: one fused operation where PyTorch
    has it, else step by step.
    """

    def __init__(self, config):
        super().__init__()
        assert config.n_embd % config.n_head == 0, (
            f"n_embd={config.n_embd} numbers can't be shared out evenly among n_head={config.n_head} heads"
        )
        self.c_attn = nn.Linear(config.n_embd, 3 * config.n_embd, bias=config.bias)  # makes q, k and v
        self.c_proj = nn.Linear(config.n_embd, config.n_embd, bias=config.bias)  # mixes the heads
        self.attn_dropout = nn.Dropout(config.dropout)
        self.resid_dropout = nn.Dropout(config.dropout)
        self.n_head = config.n_head
        self.n_embd = config.n_embd
        self.dropout = config.dropout
        self.flash = hasattr(torch.nn.functional, 'scaled_dot_product_attention')
        if not self.flash:
            print("note: no fused attention in this PyTorch (2.0 has it); the explicit steps are slower")
            past = torch.tril(torch.ones(config.block_size, config.block_size))
            self.register_buffer("bias", past.view(1, 1, config.block_size, config.block_size))

    def forward(self, x):
        """(B, T, C) -> (B, T, C); what comes out at t depends on positions 0 to t alone."""
        B, T, C = x.size()

        # One multiplication makes all three; the heads become a dimension: (B, H, T, D).
        q, k, v = self.c_attn(x).split(self.n_embd, dim=2)
        k = k.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        q = q.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)
        v = v.view(B, T, self.n_head, C // self.n_head).transpose(1, 2)

        if self.flash:
            y = F.scaled_dot_product_attention(
                q, k, v, attn_mask=None, dropout_p=self.dropout if self.training else 0.0, is_causal=True
            )
        else:
            # Scores, then weights, are (B, H, T, T): row t tells where token t looks.
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float('-inf'))
            att = F.softmax(att, dim=-1)
            att = self.attn_dropout(att)
            y = att @ v

        # The heads go side by side again.
        y = y.transpose(1, 2).contiguous().view(B, T, C)
        y = self.resid_dropout(self.c_proj(y))
        return y


class MLP(nn.Module):
    """Each token by itself: to four times the width, a bend, and back.

    The bend is the exact GELU, x * Phi(x) (Hendrycks & Gimpel, 2016). GPT-2 was trained with its tanh
    approximation, so that GPT-2's weights give slightly different logits here.
    """

    def __init__(self, config):
        super().__init__()
        self.c_fc = nn.Linear(config.n_embd, 4 * config.n_embd, bias=config.bias)
        self.gelu = nn.GELU()
        self.c_proj = nn.Linear(4 * config.n_embd, config.n_embd, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x):
        """(B, T, C) -> (B, T, C), by way of (B, T, 4C)."""
        x = self.c_fc(x)
        x = self.gelu(x)
        x = self.c_proj(x)
        x = self.dropout(x)
        return x


class Block(nn.Module):
    """Attention, then MLP; each reads a normalised copy of the residual stream and adds its result to it."""

    def __init__(self, config):
        super().__init__()
        self.ln_1 = LayerNorm(config.n_embd, bias=config.bias)
        self.attn = CausalSelfAttention(config)
        self.ln_2 = LayerNorm(config.n_embd, bias=config.bias)
        self.mlp = MLP(config)

    def forward(self, x):
        """(B, T, C) -> (B, T, C)."""
        x = x + self.attn(self.ln_1(x))
        x = x + self.mlp(self.ln_2(x))
        return x


@dataclass
class GPTConfig:
    """The sizes of a GPT; as they stand, those of GPT-2's smallest, with its vocabulary padded."""

    block_size: int = 1024   # the longest sequence the model can read
    vocab_size: int = 50304  # GPT-2 has 50257; a multiple of 64 multiplies faster
    n_layer: int = 12
    n_head: int = 12
    n_embd: int = 768
    dropout: float = 0.0     # one rate for all dropouts: embedding, attention, residual, MLP
    bias: bool = True        # in linear layers and layer norms, as in GPT-2; without is a bit faster


class GPT(nn.Module):
    """Tokens in, for each position the logits of the token that follows (Radford et al., 2019)."""

    def __init__(self, config):
        super().__init__()
        assert config.vocab_size is not None, "GPTConfig.vocab_size is None: how many tokens are there?"
        assert config.block_size is not None, "GPTConfig.block_size is None: how long may a sequence be?"
        self.config = config
        wte = nn.Embedding(config.vocab_size, config.n_embd)  # one vector for each word
        wpe = nn.Embedding(config.block_size, config.n_embd)  # one vector for each position
        drop = nn.Dropout(config.dropout)
        h = nn.ModuleList([Block(config) for _ in range(config.n_layer)])
        ln_f = LayerNorm(config.n_embd, bias=config.bias)
        self.transformer = nn.ModuleDict({'wte': wte, 'wpe': wpe, 'drop': drop, 'h': h, 'ln_f': ln_f})
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        # One matrix reads words and writes them (Press & Wolf, 2017).
        self.transformer.wte.weight = self.lm_head.weight

        self.apply(self._init_weights)
        # 2L results add up in the residual stream; smaller ones keep its variance (GPT-2 paper, section 2.3).
        for name, p in self.named_parameters():
            if name.endswith('c_proj.weight'):
                nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))
        print(f"number of parameters: {self.get_num_params() / 1e6:.2f}M")

    def get_num_params(self, non_embedding=True):
        """How many numbers training can change, the shared matrix counted once.

        Position vectors are left out when ``non_embedding``; token vectors never: they are the output layer.
        """
        count = sum(p.numel() for p in self.parameters())
        if non_embedding:
            count -= self.transformer.wpe.weight.numel()
        return count

    def _init_weights(self, module):
        """Weights small and random, biases zero; the gain of a layer norm stays one."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, mean=0.0, std=0.02)
        if isinstance(module, nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        """Token ids (B, T) -> logits and loss.

        With ``targets`` (B, T), where -1 says "don't count this one": logits (B, T, V), and the loss is
        their mean cross entropy in nats. Without: logits (B, 1, V) of the last position alone, and no loss.
        """
        b, t = idx.size()
        assert t <= self.config.block_size, (
            f"a sequence of {t} tokens, but the model has only block_size={self.config.block_size} positions"
        )
        pos = torch.arange(0, t, dtype=torch.long, device=idx.device)

        tok_emb = self.transformer.wte(idx)  # (B, T, C)
        pos_emb = self.transformer.wpe(pos)  # (T, C), the same for every sequence
        x = self.transformer.drop(tok_emb + pos_emb)
        for block in self.transformer.h:
            x = block(x)
        x = self.transformer.ln_f(x)

        if targets is not None:
            logits = self.lm_head(x)               # (B, T, V)
            loss = F.cross_entropy(logits.view(b * t, -1), targets.reshape(b * t), ignore_index=-1)
        else:
            logits = self.lm_head(x[:, [-1], :])   # (B, 1, V); the list keeps the dimension
            loss = None
        return logits, loss

    def crop_block_size(self, block_size):
        """Shorten the longest sequence, for instance of GPT-2's 1024; make the optimizer after this."""
        assert block_size <= self.config.block_size, (
            f"can't crop to {block_size} positions: the model has only {self.config.block_size}"
        )
        self.config.block_size = block_size
        self.transformer.wpe.weight = nn.Parameter(self.transformer.wpe.weight[:block_size].detach().clone())
        for block in self.transformer.h:
            if hasattr(block.attn, 'bias'):
                block.attn.bias = block.attn.bias[:, :, :block_size, :block_size]

    @classmethod
    def from_pretrained(cls, model_type, override_args=None):
        """GPT-2 from a local folder in Hugging Face's layout: ``config.json`` and ``*.safetensors``.

        ``model_type`` is the folder's path, so ``gpt2`` is a folder of that name right here. Nothing is
        downloaded. Of the settings only ``dropout`` can be overridden.
        """
        override_args = override_args or {}
        assert set(override_args) <= {'dropout'}, f"only dropout can be set, not {sorted(override_args)}"
        sizes, tensors = read_gpt2(Path(model_type))
        model = cls(GPTConfig(**sizes, bias=True, **override_args))
        own = {key: p for key, p in model.state_dict().items() if not key.endswith('.attn.bias')}
        tensors.setdefault('lm_head.weight', tensors.get('transformer.wte.weight'))
        assert own.keys() == tensors.keys(), (
            f"{model_type}: tensors missing or not GPT-2's: {sorted(own.keys() ^ tensors.keys())[:8]}"
        )
        with torch.no_grad():
            for key, p in own.items():
                # GPT-2's layers were convolutions of width one, which keep their weights as (in, out).
                given = tensors[key].t() if key.endswith(CONV1D) else tensors[key]
                assert given.shape == p.shape, f"{model_type}: {key} has shape {given.shape}, not {p.shape}"
                p.copy_(given)
        return model

    def configure_optimizers(self, weight_decay, learning_rate, betas, device_type):
        """AdamW that decays matrices and leaves vectors (biases, gains) alone (Loshchilov & Hutter, 2019)."""
        params = [p for p in self.parameters() if p.requires_grad]
        decay = [p for p in params if p.dim() >= 2]
        rest = [p for p in params if p.dim() < 2]
        groups = [
            {'params': decay, 'weight_decay': weight_decay},
            {'params': rest, 'weight_decay': 0.0},
        ]
        for name, group in (("decayed", decay), ("not decayed", rest)):
            print(f"parameters {name}: {sum(p.numel() for p in group):,} in {len(group)} tensors")
        # One kernel for all tensors: on a GPU, and where PyTorch has it.
        fused = device_type == 'cuda' and 'fused' in inspect.signature(torch.optim.AdamW).parameters
        print(f"fused AdamW: {fused}")
        extra = {'fused': True} if fused else {}
        return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, **extra)

    def estimate_mfu(self, fwdbwd_per_iter, dt):
        """Which share of an A100's 312e12 bf16 operations a second was used (PaLM paper, appendix B).

        ``fwdbwd_per_iter`` sequences of ``block_size`` tokens went forward and backward in ``dt`` seconds.
        """
        N = self.get_num_params()
        L, C, T = self.config.n_layer, self.config.n_embd, self.config.block_size
        flops_per_token = 6*N + 12*L*C*T  # per parameter 2 forward, 4 backward; then the T x T of attention
        flops_achieved = flops_per_token * T * fwdbwd_per_iter / dt
        flops_promised = 312e12
        mfu = flops_achieved / flops_promised
        return mfu

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None):
        """Append tokens, each drawn from the model's distribution: (B, T) -> (B, T + max_new_tokens).

        A ``temperature`` below 1 sharpens the distribution, above 1 flattens it; ``top_k`` draws among the k
        best alone. Call ``eval()`` before, or dropout stays at work.
        """
        for _ in range(max_new_tokens):
            # No more than block_size tokens can be read: the oldest are forgotten.
            idx_cond = idx if idx.size(1) <= self.config.block_size else idx[:, -self.config.block_size:]
            logits, _ = self(idx_cond)
            logits = logits[:, -1, :] / temperature                         # (B, V)
            if top_k is not None:
                best, _ = torch.topk(logits, min(top_k, logits.size(-1)))   # (B, k), largest first
                logits = logits.masked_fill(logits < best[:, [-1]], -float('Inf'))
            probs = F.softmax(logits, dim=-1)
            idx_next = torch.multinomial(probs, num_samples=1)              # (B, 1)
            idx = torch.cat((idx, idx_next), dim=1)
        return idx


CONV1D = ('attn.c_attn.weight', 'attn.c_proj.weight', 'mlp.c_fc.weight', 'mlp.c_proj.weight')


def read_gpt2(folder):
    """A folder in Hugging Face's layout -> sizes for GPTConfig, and tensors, as stored, by our names."""
    from safetensors.torch import load_file

    settings, files = folder / 'config.json', sorted(folder.glob('*.safetensors'))
    if not (settings.is_file() and files):
        raise FileNotFoundError(
            f"GPT-2's weights are not in {folder.resolve()}: expected config.json and model.safetensors. "
            "Copy them there, for instance from https://huggingface.co/openai-community/gpt2."
        )
    given = json.loads(settings.read_text(encoding='utf-8'))
    names = {
        'vocab_size': 'vocab_size', 'block_size': 'n_positions', 'n_layer': 'n_layer', 'n_head': 'n_head',
        'n_embd': 'n_embd',
    }
    missing = [theirs for theirs in names.values() if theirs not in given]
    if missing:
        raise ValueError(f"{settings}: a GPT-2 model has {', '.join(missing)}, this one has not")
    tensors = {}
    for file in files:
        for key, tensor in load_file(file).items():
            name = key if key.startswith(('transformer.', 'lm_head.')) else f'transformer.{key}'
            if not name.endswith(('.attn.bias', '.attn.masked_bias')):  # masks, not weights
                tensors[name] = tensor
    return {ours: given[theirs] for ours, theirs in names.items()}, tensors
