"""What can be set, and how the paper and its two implementations set it.

``Config()`` is the paper's model. What NVIDIA's repository and lucidrains' package do otherwise is a field each;
``nvidia`` and ``lucidrains`` set them all.
"""

from dataclasses import dataclass, fields

RESIDUALS = ("lerp", "slerp")
PER_LAYER = ("alpha_attn_init", "alpha_attn_scale", "alpha_ff_init", "alpha_ff_scale", "s_qk_init", "s_qk_scale",
             "s_ff_hidden_init", "s_ff_hidden_scale", "s_ff_gate_init", "s_ff_gate_scale")


@dataclass(frozen=True)
class Config:
    """Sizes and options; names are lucidrains' where he has one. None: the default that the comment tells."""

    num_tokens: int                     # V, words in the vocabulary
    dim: int                            # C, the model's width
    depth: int                          # L, layers
    dim_head: int = 64                  # D, numbers of a head
    heads: int = 8                      # H; the paper has H D = C
    block_size: int = 1024              # most tokens of a training's sequence; nothing in the model depends on it
    attn_norm_qk: bool = True           # queries and keys get length 1 (the paper's Table 6 is without)
    ff_expand_factor: float = 4.0       # the inner width is so many times the width ...
    ff_two_thirds: bool = False         # ... lucidrains: two thirds of that
    manual_norm_weights: bool = True    # weights normalised after each step; lucidrains: in each pass
    tied_embedding: bool = False        # the table of the input also gives the logits
    num_hyperspheres: int = 1           # groups of l2norm; lucidrains only
    norm_eps: float = 0.0               # shell of l2norm; lucidrains only
    add_value_residual: bool = False    # values are mixed with the first layer's; lucidrains: yes (arXiv 2410.17897)
    residual: str = "lerp"              # or 'slerp': steps along the great circle, one alpha for all numbers
    alpha_signed: bool = False          # lucidrains: alpha is used as it is, else its absolute value
    s_qk_on_keys: bool = True           # lucidrains: s_qk multiplies the queries alone
    sqrt_dim_on_hidden: bool = False    # NVIDIA: the factor sqrt(C) of the gate multiplies the other half, too
    rope: str = "rotation"              # or 'ngpt-repo', what NVIDIA's repository computes
    alpha_init: float | None = None     # 0.05; lucidrains: 1 / depth
    s_logit_init: float = 1.0
    s_logit_scale: float | None = None  # 1 / sqrt(C)
    # One number, or a tuple with one for each layer:
    alpha_attn_init: float | tuple | None = None   # alpha_init
    alpha_attn_scale: float | tuple | None = None  # 1 / sqrt(C)
    alpha_ff_init: float | tuple | None = None     # alpha_init
    alpha_ff_scale: float | tuple | None = None    # 1 / sqrt(C)
    s_qk_init: float | tuple = 1.0
    s_qk_scale: float | tuple | None = None        # 1 / sqrt(C); lucidrains: 1 / C
    s_ff_hidden_init: float | tuple = 1.0
    s_ff_hidden_scale: float | tuple = 1.0
    s_ff_gate_init: float | tuple = 1.0
    s_ff_gate_scale: float | tuple = 1.0

    def __post_init__(self):
        if self.residual not in RESIDUALS:
            raise ValueError(f"residual={self.residual!r} is not known: one of {', '.join(RESIDUALS)}")
        for name in ("num_tokens", "dim", "depth", "dim_head", "heads", "num_hyperspheres"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)}: at least 1 is needed")
        for name in PER_LAYER:
            given = getattr(self, name)
            if isinstance(given, (tuple, list)) and len(given) != self.depth:
                raise ValueError(f"{name} has {len(given)} numbers for depth={self.depth} layers")

    @classmethod
    def lucidrains(cls, **given):
        """The defaults of nGPT-pytorch 0.2.15."""
        theirs = {"ff_two_thirds": True, "manual_norm_weights": False, "add_value_residual": True,
                  "alpha_signed": True, "s_qk_on_keys": False, "alpha_init": 1 / given["depth"],
                  "s_qk_scale": 1 / given["dim"]}
        return cls(**{**theirs, **given})

    @classmethod
    def nvidia(cls, **given):
        """As github.com/NVIDIA/ngpt trains (November 2024)."""
        base_scale = given["dim"] ** -0.5
        theirs = {"sqrt_dim_on_hidden": True, "rope": "ngpt-repo", "s_logit_scale": base_scale,
                  "s_qk_scale": base_scale}
        return cls(**{**theirs, **given})

    @property
    def dim_inner(self):
        """Numbers inside a feed-forward block."""
        whole = self.dim * self.ff_expand_factor
        return int(whole * 2 / 3) if self.ff_two_thirds else int(whole)

    def in_layer(self, name, layer):
        """A setting that may differ from layer to layer, with its default filled in."""
        given = getattr(self, name)
        if isinstance(given, (tuple, list)):
            given = given[layer]
        if given is not None:
            return given
        if name.endswith("_scale"):
            return self.dim**-0.5
        return 0.05 if self.alpha_init is None else self.alpha_init


NAMES = tuple(field.name for field in fields(Config))
