"""A GPT between nanoGPT and nanochat: each of nanoGPT's rules can be put back into nanochat's first release.

With none it computes what ``nanochat.gpt.GPT`` does, with all of them what ``nanogpt.model.GPT`` does.
"""

import math
from dataclasses import replace

import torch
import torch.nn as nn
from torch.nn import functional as F

from nanochat import gpt
from nanochat.training.groups import adamw_group, muon_group
from nanochat.training.optim import MuonAdamW
from nanogpt import model as nanogpt
from runs.models import quiet

RULES = {
    "positions": "a learned vector for each position, nothing is turned",
    "embedding": "no norm after the embedding",
    "layernorm": "layer norms with a gain in the blocks and before the head",
    "qk": "queries and keys as they are",
    "gelu": "GELU",
    "biases": "biases in all layers but the head",
    "drawn": "no zeros: last matrices and head begin as in nanoGPT",
    "tied": "one matrix reads and writes tokens",
    "logits": "logits as they are",
}


class MLP(gpt.MLP):
    """nanochat's, with nanoGPT's bend."""

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x)))


class Block(gpt.Block):
    """nanochat's, with nanoGPT's parts where these are asked for."""

    def __init__(self, config, layer_idx, back):
        super().__init__(config, layer_idx)
        if "gelu" in back:
            self.mlp = MLP(config)
        if "biases" in back:
            give_biases(self.attn)
            give_biases(self.mlp)
        self.ln_1, self.ln_2 = make_norm(config, back), make_norm(config, back)

    def forward(self, x, cos, sin, window):
        x = x + self.attn(self.ln_1(x), cos, sin, window)
        x = x + self.mlp(self.ln_2(x))
        return x


class Between(gpt.GPT):
    """The first release of nanochat with the rules ``back`` put back."""

    back: frozenset[str] = frozenset()  # while nanochat's own model is being made

    def __init__(self, config, back=()):
        unknown = set(back) - RULES.keys()
        if unknown:
            raise ValueError(f"no rule {sorted(unknown)}; there is {', '.join(RULES)}")
        softcap = 0.0 if "logits" in back else config.softcap
        super().__init__(replace(config, qk_norm="qk" not in back, softcap=softcap))
        self.back = frozenset(back)
        self.transformer.h = nn.ModuleList([Block(self.config, i, self.back) for i in range(config.n_layer)])
        self.transformer.ln_f = make_norm(config, self.back)
        if "positions" in back:
            self.transformer["wpe"] = nn.Embedding(config.sequence_len, config.n_embd)
        if "tied" in back:
            self.transformer.wte.weight = self.lm_head.weight
        self.init_weights()

    def init_weights(self):
        """First weights: nanochat's, then what nanoGPT draws itself, so that what two models share begins alike."""
        super().init_weights()
        if "positions" in self.back:
            small = "tied" in self.back
            nn.init.normal_(self.transformer.wpe.weight, std=0.02 if small else 1.0)  # as what they are added to
            self.cos.fill_(1)  # turned by no angle
            self.sin.fill_(0)
        if self.back & {"tied", "drawn"}:
            nn.init.normal_(self.lm_head.weight, std=0.02)
        if "drawn" in self.back:
            for block in self.transformer.h:
                for layer in (block.attn.c_proj, block.mlp.c_proj):
                    nn.init.normal_(layer.weight, std=0.02 / math.sqrt(2 * self.config.n_layer))

    def forward(self, idx, targets=None):
        """As nanochat's: the loss where there are targets, else the logits."""
        T = idx.size(1)
        x = self.transformer.wte(idx)
        if "positions" in self.back:
            x = x + self.transformer.wpe(torch.arange(T))
        if "embedding" not in self.back:
            x = gpt.norm(x)
        for block in self.transformer.h:
            x = block(x, self.cos[:, :T], self.sin[:, :T], T)
        logits = self.lm_head(self.transformer.ln_f(x))
        if self.config.softcap:
            logits = self.config.softcap * torch.tanh(logits / self.config.softcap)
        if targets is None:
            return logits
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def setup_optimizer(self, options):
        """As nanochat's. Learned positions learn as what they are added to; vectors and a tied matrix as the head."""
        wider = (self.config.n_embd / 768) ** -0.5
        slow = [self.lm_head.weight, *(p for p in self.parameters() if p.dim() == 1)]
        tables = [p for name, p in self.transformer.named_parameters() if name in ("wte.weight", "wpe.weight")]
        if "tied" in self.back:
            slow += [p for p in tables if p is not self.lm_head.weight]
            tables = []
        groups = [adamw_group(slow, 0.004 * wider, (0.8, 0.95))]
        if tables:
            groups.append(adamw_group(tables, 0.2 * wider, (0.8, 0.95)))
        matrices = [p for p in self.transformer.h.parameters() if p.dim() == 2]
        for shape in sorted({tuple(p.shape) for p in matrices}):
            groups.append(muon_group([p for p in matrices if tuple(p.shape) == shape], 0.02, options=options))
        return MuonAdamW(groups)


def make_norm(config, back):
    """nanoGPT's layer norm, with a shift where there are biases; else nanochat's norm, which has no parameters."""
    return nanogpt.LayerNorm(config.n_embd, bias="biases" in back) if "layernorm" in back else gpt.norm


def give_biases(part):
    """Exchange the layers of attention or MLP for ones with biases, which begin at zero."""
    for name, layer in list(part.named_children()):
        biased = nn.Linear(layer.in_features, layer.out_features)
        nn.init.zeros_(biased.bias)
        setattr(part, name, biased)


def as_nanogpt(model):
    """nanoGPT's own GPT with the weights of a model in which every rule is put back."""
    sizes, state = model.config, model.state_dict()
    with quiet():
        own = nanogpt.GPT(
            nanogpt.GPTConfig(sizes.sequence_len, sizes.vocab_size, sizes.n_layer, sizes.n_head, sizes.n_embd)
        )
    for i in range(sizes.n_layer):
        for kind in ("weight", "bias"):
            parts = [state.pop(f"transformer.h.{i}.attn.{name}.{kind}") for name in ("c_q", "c_k", "c_v")]
            state[f"transformer.h.{i}.attn.c_attn.{kind}"] = torch.cat(parts)  # nanoGPT makes all three at once
    own.load_state_dict(state)
    return own.eval()
