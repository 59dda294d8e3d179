"""What a model is to be like: sizes, options, and the rules that derive one from another."""

import math
from dataclasses import dataclass


@dataclass
class GPTConfig:
    """Sizes and options of a GPT; as it stands, nanochat's first release (CLASSIC) with twelve layers."""

    sequence_len: int = 2048       # the longest sequence of training
    vocab_size: int = 65536
    n_layer: int = 12
    n_head: int = 6                # heads that ask
    n_kv_head: int = 6             # heads that are asked; fewer than n_head: grouped-query attention
    n_embd: int = 768
    qk_norm: bool = True           # queries and keys have length sqrt(D), whatever the weights
    softcap: float = 15.0          # logits stay between -softcap and softcap; 0: as they are
    # What came later; ``newest`` switches all of it on.
    rope_base: float = 10_000.0    # the slowest rotation takes about 2 pi * rope_base tokens for a turn
    qk_scale: float = 1.0          # both queries and keys times this, after their norm: sharper attention
    window_pattern: str = "L"      # one letter a layer, tiled: L sees everything, S a quarter; the last is L
    window_tile: int = 128         # an S window is rounded up to a multiple of this
    value_embeds: bool = False     # in every other layer, each token has a value of its own, looked up
    residual_lambdas: bool = False # learned weights of the stream and of its beginning, before each block
    smear: bool = False            # each token takes in a little of the one before it
    backout: bool = False          # what the first half wrote is taken back in part, before the head
    uniform_init: bool = False     # uniform weights, a head that is small instead of zero
    pad_vocab_size_to: int = 1     # embedding and head get rows up to a multiple of this; never predicted

    @classmethod
    def newest(cls, **sizes):
        """The configuration of July 2026; ``sizes`` are fields, and may override an option as well."""
        options = {
            "vocab_size": 32768, "rope_base": 100_000.0, "qk_scale": 1.2, "window_pattern": "SSSL",
            "value_embeds": True, "residual_lambdas": True, "smear": True, "backout": True,
            "uniform_init": True, "pad_vocab_size_to": 64,
        }  # fmt: skip
        return cls(**{**options, **sizes})

    @property
    def padded_vocab_size(self):
        """Rows of embedding and head: ``vocab_size`` rounded up."""
        return round_up(self.vocab_size, self.pad_vocab_size_to)

    @property
    def ve_layers(self):
        """The layers with a value embedding; none where these are off."""
        return [i for i in range(self.n_layer) if self.value_embeds and has_ve(i, self.n_layer)]


def sizes_of_depth(depth, aspect_ratio=64, head_dim=128):
    """nanochat's one dial: the number of layers -> fields of GPTConfig, the width growing with the depth."""
    width = round_up(depth * aspect_ratio, head_dim)
    heads = width // head_dim
    return {"n_layer": depth, "n_head": heads, "n_kv_head": heads, "n_embd": width}


def round_up(number, multiple):
    """The smallest multiple that is not smaller: 70, 64 -> 128."""
    return math.ceil(number / multiple) * multiple


def window_sizes(config):
    """How many tokens before itself a token sees, for each layer: [T/4 rounded up to a tile, ..., T]."""
    assert set(config.window_pattern) <= {"S", "L"}, (
        f"window_pattern={config.window_pattern!r}: only S (short) and L (long) are windows"
    )
    long = config.sequence_len
    short = round_up(long / 4, config.window_tile)
    letters = [config.window_pattern[i % len(config.window_pattern)] for i in range(config.n_layer)]
    letters[-1] = "L"  # whoever writes the answer sees everything
    return [long if letter == "L" else short for letter in letters]


def has_ve(layer_idx, n_layer):
    """Whether a layer has a value embedding: every other one, the last among them."""
    return layer_idx % 2 == (n_layer - 1) % 2
