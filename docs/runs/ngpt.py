"""nGPT and the GPT beside it: learning rates, seeds, and what their weights become."""

import math
import time

from cutaway import Run
from runs.handbook import whole_text
from runs.models import without_fused_attention

SIZES = {"num_tokens": 256, "dim": 48, "depth": 3, "heads": 4, "dim_head": 12, "block_size": 64}
BEGIN = ord("\n")  # a text that a reader types is the beginning of a line
KINDS = ("gpt", "ngpt")
VARIANTS = {  # of nGPT, each trained with as many steps as the sweep has
    "paper": {},
    "slerp": {"residual": "slerp"},
    "plain": {"attn_norm_qk": False},
    "published": {"rope": "ngpt-repo"},
}


def typed_bytes(longest):
    """How a page makes tokens of what one types: each byte is one."""
    tokens = [chr(byte) for byte in range(256)]
    return {"bpe": {"pattern": r"[\s\S]", "tokens": tokens, "special": [], "bos": BEGIN}, "longest": longest}


class NGPT(Run):
    """Both models on the bytes of Python's handbook: a sweep of learning rates, then five seeds at the best of each."""

    name = "ngpt"
    sources = ("ngpt",)
    limit_s = 3600
    budget_s = 330
    RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
    SWEEP_STEPS = 200
    SEEDS = (1, 2, 3, 4, 5)
    STEPS = 400
    EVERY = 25  # steps from one look at the validation rows to the next
    ROWS = 8
    WARMUP = 0.05  # of the steps, for the GPT; nGPT has none
    DECAY = 0.1  # of the GPT's weights, as in the paper; nGPT's have none
    BETAS = (0.9, 0.95)
    VARIED_SEEDS = (1, 2, 3)
    WATCHED = "layers.1.0.fn.to_q"
    EXCERPT = 24  # bytes of the validation text, for the forward pass

    def train(self, log):
        """Losses: sweep (kinds, rates), curves (kinds, seeds, looks), variants (kinds, seeds); two models' weights."""
        import numpy as np

        sweep = np.array([[self.swept(kind, rate) for rate in self.RATES] for kind in KINDS])
        best = {kind: self.RATES[row.argmin()] for kind, row in zip(KINDS, sweep, strict=True)}
        curves, seconds, kept = {kind: [] for kind in KINDS}, dict.fromkeys(KINDS, 0.0), {}
        for seed in self.SEEDS:
            for kind in KINDS:
                first = seed == self.SEEDS[0]
                model, curve, took = self.train_one(kind, best[kind], seed, self.STEPS, log if first else None, True)
                curves[kind].append(curve)
                seconds[kind] += took
                if first:
                    kept |= {f"{kind}/{name}": tensor for name, tensor in model.state_dict().items()}
        variants = [[self.varied(name, best["ngpt"], seed) for seed in self.VARIED_SEEDS] for name in VARIANTS]
        log.fact(**{f"best_rate_{kind}": rate for kind, rate in best.items()})
        log.fact(**{f"ms_{kind}": 1000 * took / self.STEPS / len(self.SEEDS) for kind, took in seconds.items()})
        log.fact(steps=self.STEPS, sweep_steps=self.SWEEP_STEPS, every=self.EVERY)
        log.fact(rows=self.ROWS, seeds=len(self.SEEDS))
        log.fact(tokens=self.STEPS * self.ROWS * SIZES["block_size"], warmup=self.WARMUP, decay=self.DECAY)
        found = {"sweep": sweep, "curves": [curves[kind] for kind in KINDS], "variants": variants}
        return {**{name: np.array(losses) for name, losses in found.items()}, **kept}

    def swept(self, kind, rate):
        """The loss that a learning rate ends with, after fewer steps and with weights of another seed."""
        return self.train_one(kind, rate, 0, self.SWEEP_STEPS)[1][-1]

    def varied(self, name, rate, seed):
        """The loss that a variant of nGPT ends with."""
        return self.train_one("ngpt", rate, seed, self.SWEEP_STEPS, **VARIANTS[name])[1][-1]

    def train_one(self, kind, rate, seed, steps, log=None, curve=False, **settings):
        """A model, its loss on the validation rows (of a ``curve``, from the first weights on), its steps' seconds."""
        import torch

        train, rows = self.text()
        torch.manual_seed(seed)
        model, T = self.model(kind, **settings), SIZES["block_size"]
        optimizer = model.configure_optimizers(self.DECAY if kind == "gpt" else 0.0, rate, self.BETAS, "cpu")
        chance, losses, took = torch.Generator().manual_seed(seed), [], 0.0
        for step in range(steps + 1):
            if step == steps or (curve and step % self.EVERY == 0):
                with torch.no_grad():
                    losses.append(model(rows[:, :-1], rows[:, 1:])[1].item())
                if log:
                    log(step, **{f"{name}_{kind}": value for name, value in self.watch(model).items()})
            if step == steps:
                return model, losses, took
            started = time.perf_counter()
            for group in optimizer.param_groups:
                group["lr"] = rate * self.schedule(kind, step, steps)
            starts = torch.randint(len(train) - T, (self.ROWS, 1), generator=chance)
            batch = train[starts + torch.arange(T + 1)]
            optimizer.zero_grad(set_to_none=True)
            model(batch[:, :-1], batch[:, 1:])[1].backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            took += time.perf_counter() - started

    def schedule(self, kind, step, steps):
        """Half a cosine down to nothing; for the GPT a line up before that."""
        warmup = round(self.WARMUP * steps) if kind == "gpt" else 0
        if step < warmup:
            return (step + 1) / warmup
        return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))

    def watch(self, model):
        """Lengths of the embeddings, lengths of one matrix's rows, and its condition number."""
        import torch

        table, matrix = model.token_embed.weight, model.get_submodule(self.WATCHED).weight
        with torch.no_grad():
            lengths, rows = table.norm(dim=-1), matrix.norm(dim=-1)
            return {
                "shortest": lengths.min().item(),
                "longest": lengths.max().item(),
                "row": rows.mean().item(),
                "condition": torch.linalg.cond(matrix.double()).item(),
            }

    def text(self):
        """The bytes of the handbook: nine tenths to train on, and rows that are spread over the rest."""
        import torch

        data = torch.frombuffer(bytearray(whole_text().encode()), dtype=torch.uint8).long()
        train, val = data[: len(data) * 9 // 10], data[len(data) * 9 // 10 :]
        T = SIZES["block_size"]
        return train, val.unfold(0, T + 1, (len(val) - T - 1) // 127)

    def model(self, kind, **sizes):
        from ngpt.baseline import GPT
        from ngpt.model import nGPT

        return (GPT if kind == "gpt" else nGPT)(**{**SIZES, **sizes})

    def build(self, weights):
        """The nGPT of the first seed."""
        return self.load("ngpt", weights)

    def load(self, kind, weights):
        """A trained model, in eval mode, with the attention that can be looked into."""
        import torch

        with without_fused_attention():
            model = self.model(kind)
        own = {name: array for name, array in weights.items() if name.startswith(f"{kind}/")}
        model.load_state_dict({name.removeprefix(f"{kind}/"): torch.from_numpy(array) for name, array in own.items()})
        return model.eval()

    def trace(self, weights, record):
        import torch

        from ngpt.sphere import l2norm, lerp, slerp

        gpt, ngpt = (self.load(kind, weights) for kind in KINDS)
        begin = torch.tensor([[BEGIN]])
        idx = torch.cat([begin, self.text()[1][:1, : self.EXCERPT]], dim=1)
        again = torch.arange(35).view(5, 7) % 17
        with torch.no_grad():
            with record("forward", ngpt):
                ngpt(idx[:, :-1], idx[:, 1:])
            with record("inference", ngpt):
                ngpt(idx[:, :-1])
            record.live("inference", ngpt, idx[:, :-1], reads=typed_bytes(SIZES["block_size"]))
            with record("gpt"):  # without its model: parameters that pages name are nGPT's
                gpt(idx[:, :-1], idx[:, 1:])
            with record("ways"):
                x, out = ngpt.token_embed.weight[idx[0, :2]]
                slerp(x, out, 0.25)
                l2norm(lerp(x, out, 0.25))
            for name, kind in (("forward", "ngpt"), ("inference", "ngpt"), ("gpt", "gpt")):
                # Sizes that can't be taken for each other, nor for small multiples: they name the axes.
                with without_fused_attention():
                    odd = self.model(kind, num_tokens=17, dim=143, heads=11, dim_head=26, ff_expand_factor=383 / 143)
                given = (odd,) if kind == "ngpt" else ()
                with record.sizes(name, *given, B=5, T=7, C=143, H=11, D=26, V=17, I=383):
                    odd(again, None if name == "inference" else again)
        model = self.load("ngpt", weights)
        with record("step"):
            optimizer = model.configure_optimizers(0.0, 0.01, self.BETAS, "cpu")
            model(idx[:, :-1], idx[:, 1:])[1].backward()
            optimizer.step()
        record.fact(T=self.EXCERPT, excerpt=bytes(idx[0, 1:].tolist()).decode(errors="replace"))
        record.fact(**SIZES, dim_inner=ngpt.config.dim_inner, n_params=ngpt.num_params(), n_params_gpt=gpt.num_params())
        record.fact(rates=len(self.RATES), watched=self.WATCHED)
