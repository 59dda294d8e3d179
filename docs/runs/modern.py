"""What each step from nanoGPT to nanochat does to the loss."""

from cutaway import Run
from runs.handbook import whole_text
from runs.models import load_nanochat, round_to_half, without_fused_attention

SIZES = {"sequence_len": 64, "vocab_size": 256, "n_layer": 3, "n_head": 4, "n_kv_head": 4, "n_embd": 48}
SHORT = {"window_pattern": "SSL", "window_tile": 16}
ADDED = {
    "grouped": {"n_kv_head": 2},
    "windows": SHORT,
    "values": {"value_embeds": True},
    "lambdas": {"residual_lambdas": True},
    "smear": {"smear": True},
    "backout": {"backout": True},
}


class Modern(Run):
    """nanochat's first release, each rule of nanoGPT put back, each later change added: equal steps, some seeds."""

    name = "modern"
    sources = ("nanogpt", "nanochat")
    limit_s = 3600
    budget_s = 110
    SEEDS = (1, 2, 3)
    STEPS = 72
    ROWS = 8
    KEPT = ("newest", "grouped")  # whose weights of the first seed are kept
    EXCERPT = 24  # bytes of the validation text, for the forward pass: more than a short window

    def train(self, log):
        """The losses (variants, seeds) on the same validation rows, and the weights of two models."""
        import numpy as np
        import torch

        train, rows = self.text()
        losses, kept = [], {}
        for name in self.variants():
            found = []
            for seed in self.SEEDS:
                model = self.train_one(name, seed, train)
                with torch.no_grad():
                    found.append(model(rows[:, :-1], rows[:, 1:]).item())
                log(seed, **{name: found[-1]})
                if name in self.KEPT and seed == self.SEEDS[0]:
                    kept |= {f"{name}/{key}": tensor for key, tensor in model.state_dict().items()}
            losses.append(found)
        log.fact(steps=self.STEPS, seeds=len(self.SEEDS), rows=self.ROWS, val_tokens=rows[:, 1:].numel())
        log.fact(tokens=self.STEPS * self.ROWS * SIZES["sequence_len"], train_tokens=len(train))
        log.fact(variants=len(losses) - 1, trainings=len(losses) * len(self.SEEDS))
        return {"losses": np.array(losses), **kept}

    def variants(self):
        """The base first, then what is put back, all of it, what is added, and the newest release."""
        from runs.between import RULES

        return ("base", *RULES, "nanogpt", *ADDED, "newest")

    def model(self, name):
        """A model with rules of nanoGPT or later ones of nanochat, without its first weights."""
        from nanochat.gpt import GPT
        from runs.between import RULES, Between

        if name in ADDED or name == "newest":
            return GPT(self.config(name))
        back = {"base": (), "nanogpt": tuple(RULES)}.get(name, (name,))
        return Between(self.config(name), back)

    def config(self, name):
        from nanochat.config import GPTConfig

        if name == "newest":
            return GPTConfig.newest(**{**SIZES, **SHORT})
        return GPTConfig(**{**SIZES, **ADDED.get(name, {})})

    def train_one(self, name, seed, data):
        """All variants of a seed begin with the same weights, where they have the same, and read the same batches."""
        import torch

        from nanochat.training.groups import OptimConfig
        from nanochat.training.schedule import Schedule

        torch.manual_seed(seed)
        model, T = self.model(name), SIZES["sequence_len"]
        torch.manual_seed(seed)
        model.init_weights()
        optimizer = model.setup_optimizer(options=OptimConfig(bfloat16=False))
        schedule, chance = Schedule(self.STEPS, warmdown_ratio=0.4), torch.Generator().manual_seed(seed)
        for step in range(self.STEPS):
            starts = torch.randint(len(data) - T, (self.ROWS, 1), generator=chance)
            rows = data[starts + torch.arange(T + 1)]
            schedule.apply(optimizer, step)
            optimizer.zero_grad(set_to_none=True)
            model(rows[:, :-1], rows[:, 1:]).backward()
            optimizer.step()
        round_to_half(model)
        return model

    def text(self):
        """The bytes of the handbook: nine tenths to train on, and rows that are spread over the rest."""
        import torch

        data = torch.frombuffer(bytearray(whole_text().encode()), dtype=torch.uint8).long()
        train, val = data[: len(data) * 9 // 10], data[len(data) * 9 // 10 :]
        T = SIZES["sequence_len"]
        return train, val.unfold(0, T + 1, (len(val) - T - 1) // 127)

    def build(self, weights):
        """The newest model, as it was trained with the first seed."""
        return self.load("newest", weights)

    def load(self, name, weights):
        own = {key.removeprefix(f"{name}/"): array for key, array in weights.items() if key.startswith(f"{name}/")}
        return load_nanochat(self.config(name), own)

    def trace(self, weights, record):
        import torch

        newest, grouped = (self.load(name, weights) for name in self.KEPT)
        idx = self.text()[1][:1, : self.EXCERPT + 1]
        again = torch.arange(35).view(5, 7) % 17
        odd, shared = self.odd_sizes()
        with torch.no_grad():
            with record("forward", newest):
                newest(idx[:, :-1], idx[:, 1:])
            with record("grouped"):  # without its model: parameters that pages name are the newest model's
                grouped(idx[:, :-1], idx[:, 1:])
            with record.sizes("forward", odd, B=5, T=7, C=286, H=11, D=26, V=17):
                odd(again, again)
            with record.sizes("grouped", B=5, T=7, C=572, H=22, G=11, D=26, V=17):
                shared(again, again)
        record.fact(T=self.EXCERPT, excerpt=bytes(idx[0].tolist()).decode(errors="replace"))
        record.fact(D=newest.config.n_embd // newest.config.n_head, block_size=newest.config.sequence_len)
        record.fact(**{name: SIZES[name] for name in ("n_layer", "n_head", "n_embd", "vocab_size")})
        record.fact(n_kv_head=grouped.config.n_kv_head, window=newest.window_sizes[0])
        record.fact(n_params=self.model("base").num_scaling_params()["total"])
        record.fact(n_params_newest=newest.num_scaling_params()["total"])
        record.fact(**self.constants(newest))
        record.fact(**effects(self.variants(), weights["losses"]))

    def constants(self, newest):
        """What the source fixes and the page says in words: numbers of rules and extras, bounds, first values."""
        from nanochat.gpt import GATE_CHANNELS
        from runs.between import RULES

        fresh = self.model("newest")
        fresh.init_weights()
        return {
            "rules": len(RULES),
            "extras": len(ADDED.keys() - {"grouped"}),
            "softcap": newest.config.softcap,
            "qk_scale": newest.config.qk_scale,
            "gate_channels": GATE_CHANNELS,
            "value_params": sum(p.numel() for p in newest.value_embeds.parameters()),
            "x0_begins": fresh.x0_lambdas[0].item(),
            "backout_begins": fresh.backout_lambda.item(),
        }

    def odd_sizes(self):
        """Both models with sizes that can't be taken for each other, nor for small multiples: they name the axes."""
        from nanochat.gpt import GPT, GPTConfig

        sizes = {"sequence_len": 7, "vocab_size": 17, "n_layer": 3, "window_pattern": "SSL", "window_tile": 7}
        with without_fused_attention():
            newest = GPT(GPTConfig.newest(**sizes, n_head=11, n_kv_head=11, n_embd=286, pad_vocab_size_to=1))
            return newest, GPT(GPTConfig(**sizes, n_head=22, n_kv_head=11, n_embd=572))


def effects(names, losses):
    """For each variant how far its mean loss is from the base's, and between what that lies; as facts.

    All intervals hold together: where nothing but chance is at work, one table in twenty has an interval without
    zero. It is taken for granted that chance is as large in every variant. ``nanogpt``, in which nine things change
    at once, has no part in this, and no interval.
    """
    compared = losses[[name != "nanogpt" for name in names]]
    margin = widest_by_chance(compared.shape) * residual_spread(compared)
    means = losses.mean(axis=1)
    found = {"loss": means[0], "spread": residual_spread(compared), "margin": margin}
    for name, effect in zip(names[1:], means[1:] - means[0], strict=True):
        found[name] = effect
        if name != "nanogpt":
            found |= {f"{name}_low": effect - margin, f"{name}_high": effect + margin}
    return {name: float(value) for name, value in found.items()}


def residual_spread(losses):
    """Standard deviation of losses (..., variants, seeds) once each variant's and each seed's mean is taken off."""
    import numpy as np

    variants, seeds = losses.shape[-2:]
    rest = losses - losses.mean(-1, keepdims=True)
    rest = rest - rest.mean(-2, keepdims=True)
    return np.sqrt((rest**2).sum((-2, -1)) / ((variants - 1) * (seeds - 1)))


def widest_by_chance(shape, draws=20_000):
    """How large, in spreads, the largest effect of a table gets by chance in 95 of 100 tables (after Dunnett, 1955)."""
    import numpy as np

    noise = np.random.default_rng(0).standard_normal((draws, *shape))
    means = noise.mean(axis=-1)
    largest = np.abs(means[:, 1:] - means[:, :1]).max(axis=1)
    return np.quantile(largest / residual_spread(noise), 0.95)
