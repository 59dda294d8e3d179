"""Which parameter learns by which rule, and how fast."""

from dataclasses import asdict, dataclass

import torch


@dataclass
class OptimConfig:
    """What the optimizer does beyond CLASSIC, one switch for each later change; as it stands, nothing."""

    momentum: float = 0.95         # of Muon; a schedule may change it from step to step
    ns_steps: int = 5              # polynomials of the orthogonalisation
    bfloat16: bool = True          # orthogonalise in half precision
    polar_express: bool = False    # better polynomials than Newton-Schulz
    equal_rows: bool = False       # MuonEq: rows of equal norm before
    full_norm: bool = False        # Muon+: the norm of an orthogonal matrix after
    beta2: float | None = None     # NorMuon: how long the sizes of rows are remembered; None: not at all
    decay_matrices: bool = False   # weight decay for Muon's matrices, cautiously, instead of embedding and head
    tuned_adamw: bool = False      # betas and decay of embedding and head by search

    @classmethod
    def newest(cls, **options):
        """The optimizer of July 2026; ``bfloat16`` is then for models that compute in it."""
        newest = {
            "bfloat16": False, "polar_express": True, "equal_rows": True, "full_norm": True, "beta2": 0.9,
            "decay_matrices": True, "tuned_adamw": True,
        }  # fmt: skip
        return cls(**{**newest, **options})


def adamw_group(params, lr, betas, weight_decay=0.0, eps=1e-10):
    """A parameter group of AdamW; a schedule multiplies ``initial_lr``."""
    return {
        "kind": "adamw", "params": list(params), "lr": lr, "initial_lr": lr, "betas": betas, "eps": eps,
        "weight_decay": weight_decay,
    }  # fmt: skip


def muon_group(params, lr, weight_decay=0.0, options=None):
    """A parameter group of Muon; its matrices have one shape."""
    options = OptimConfig() if options is None else options
    switches = asdict(options)
    del switches["decay_matrices"], switches["tuned_adamw"]  # these have been decided when groups are made
    return {
        "kind": "muon", "params": list(params), "lr": lr, "initial_lr": lr, "weight_decay": weight_decay,
        "initial_weight_decay": weight_decay, **switches,
    }  # fmt: skip


def parameter_groups(model, unembedding_lr, embedding_lr, matrix_lr, weight_decay, scalar_lr, options):
    """The groups of a whole GPT: head, embeddings, single numbers, then a Muon group for each shape of matrix."""
    wider = (model.config.n_embd / 768) ** -0.5  # a wider model's AdamW takes smaller steps
    head_lr, wte_lr = unembedding_lr * wider, embedding_lr * wider
    head, wte = [model.lm_head.weight], [model.transformer.wte.weight]
    if options.tuned_adamw:
        groups = [adamw_group(head, head_lr, (0.8, 0.96), 0.01), adamw_group(wte, wte_lr, (0.8, 0.995), 0.001)]
    else:
        decay = 0.0 if options.decay_matrices else weight_decay
        groups = [adamw_group(head, head_lr, (0.8, 0.95), decay), adamw_group(wte, wte_lr, (0.8, 0.95), decay)]
    groups += extra_groups(model, 0.5 * wte_lr, scalar_lr)

    matrices = list(model.transformer.h.parameters())
    decay = weight_decay if options.decay_matrices else 0.0
    for shape in sorted({tuple(p.shape) for p in matrices}):
        alike = [p for p in matrices if tuple(p.shape) == shape]
        groups.append(muon_group(alike, matrix_lr, decay, options))
    check_complete(model, groups)
    return groups


def extra_groups(model, value_lr, scalar_lr):
    """The groups of what is optional in the model; none for a CLASSIC one."""
    config = model.config
    groups = []
    if config.value_embeds:
        groups.append(adamw_group(model.value_embeds.parameters(), value_lr, (0.8, 0.995), 0.01))
    if config.residual_lambdas:
        groups.append(adamw_group([model.resid_lambdas], 0.01 * scalar_lr, (0.8, 0.95), 0.05))
        groups.append(adamw_group([model.x0_lambdas], scalar_lr, (0.96, 0.95)))
    small = []
    if config.smear:
        small += [model.smear_gate.weight, model.smear_lambda]
    if config.backout:
        small += [model.backout_lambda]
    if small:
        groups.append(adamw_group(small, 0.2, (0.8, 0.95)))
    return groups


def check_complete(model: torch.nn.Module, groups):
    """A parameter that no group has would never learn, and nobody would notice."""
    grouped = {id(p) for group in groups for p in group["params"]}
    forgotten = [name for name, p in model.named_parameters() if id(p) not in grouped]
    assert not forgotten, f"in no parameter group: {', '.join(forgotten)}"
