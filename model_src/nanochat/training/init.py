"""The first weights: CLASSIC's normal ones, and the uniform ones of the newest generation.

Either way each block starts by adding nothing (its two last matrices are zero), and the head is zero or tiny, so that
the first loss is that of a guess, ln V.
"""

import math

import torch
import torch.nn as nn


def init_classic(model):
    """Normal embeddings of spread 1, normal matrices, a head of zeros."""
    nn.init.normal_(model.transformer.wte.weight, std=1.0)
    nn.init.zeros_(model.lm_head.weight)
    for block in model.transformer.h:
        for layer in (block.attn.c_q, block.attn.c_k, block.attn.c_v, block.mlp.c_fc):
            nn.init.normal_(layer.weight, std=spectral_std(layer))
        nn.init.zeros_(block.attn.c_proj.weight)
        nn.init.zeros_(block.mlp.c_proj.weight)


def init_uniform(model):
    """Uniform matrices of spread 1 / sqrt(C), the MLP's narrower, and a small head."""
    nn.init.normal_(model.transformer.wte.weight, std=0.8)
    nn.init.normal_(model.lm_head.weight, std=0.001)
    bound = uniform_bound(model.config.n_embd)
    for block in model.transformer.h:
        for layer in (block.attn.c_q, block.attn.c_k, block.attn.c_v):
            nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(block.mlp.c_fc.weight, -0.4 * bound, 0.4 * bound)
        nn.init.zeros_(block.attn.c_proj.weight)
        nn.init.zeros_(block.mlp.c_proj.weight)


@torch.no_grad()
def init_extras(model):
    """The weights of what is optional: smearing starts at nothing, gates start near one half."""
    config = model.config
    if config.residual_lambdas:
        for i in range(config.n_layer):
            depth = i / max(1, config.n_layer - 1)  # 0 at the first block, 1 at the last
            model.resid_lambdas[i] = 1.15 - 0.10 * depth
            model.x0_lambdas[i] = 0.20 - 0.15 * depth
    if config.smear:
        nn.init.zeros_(model.smear_lambda)
        nn.init.uniform_(model.smear_gate.weight, 0.0, 0.02)
    if config.backout:
        nn.init.constant_(model.backout_lambda, 0.2)
    bound = uniform_bound(config.n_embd)
    for table in model.value_embeds.values():
        nn.init.uniform_(table.weight, -bound, bound)
    for i in config.ve_layers:
        nn.init.uniform_(model.transformer.h[i].attn.ve_gate.weight, 0.0, 0.02)


def spectral_std(layer):
    """The spread with which vectors leave a random matrix about as large as they came (Yang et al., 2023).

    1 / sqrt(fan in), less where it leads to fewer numbers than it came from.
    """
    fan_out, fan_in = layer.weight.shape
    return min(1.0, math.sqrt(fan_out / fan_in)) / math.sqrt(fan_in)


def uniform_bound(n_embd):
    """Uniform from minus this to this has the standard deviation 1 / sqrt(C)."""
    return math.sqrt(3 / n_embd)
