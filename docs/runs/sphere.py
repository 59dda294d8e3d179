"""Two models so small that their vectors can be drawn: nGPT and the GPT beside it, three numbers for each letter."""

import math

from cutaway import Run
from runs.handbook import whole_text

LETTERS = " abcdefghijklmnopqrstuvwxyz"
SIZES = {"num_tokens": len(LETTERS), "dim": 3, "depth": 2, "heads": 4, "dim_head": 4, "ff_expand_factor": 16}
KINDS = ("gpt", "ngpt")


class Sphere(Run):
    """Both on the letters of Python's handbook, with the places of every letter's embedding in between."""

    name = "sphere"
    sources = ("ngpt",)
    limit_s = 600
    budget_s = 40
    STEPS = 600
    EVERY = 10  # steps from one look at the embeddings to the next
    ROWS, LENGTH = 16, 32
    RATES = (0.02, 0.03)  # of the GPT, of nGPT
    WARMUP = 30  # steps, for the GPT; nGPT has none
    WORD = "return the value"
    EPS = 0.25

    def train(self, log):
        """The embeddings (kinds, looks, tokens, 3), and both models' weights."""
        import numpy as np

        paths, kept = [], {}
        for kind in KINDS:
            model, path, loss = self.train_one(kind)
            paths.append(path)
            kept |= {f"{kind}/{name}": tensor for name, tensor in model.state_dict().items()}
            log.fact(**{f"loss_{kind}": loss})
        return {"paths": np.array(paths), **kept}

    def train_one(self, kind):
        import torch

        train, rows = self.text()
        torch.manual_seed(1)
        model = self.model(kind)
        rate, decay = self.RATES[KINDS.index(kind)], 0.1 if kind == "gpt" else 0.0
        optimizer = model.configure_optimizers(decay, rate, (0.9, 0.95), "cpu")
        chance, path = torch.Generator().manual_seed(1), []
        for step in range(self.STEPS + 1):
            if step % self.EVERY == 0:
                path.append(model.token_embed.weight.detach().clone().numpy())
            if step == self.STEPS:
                break
            for group in optimizer.param_groups:
                group["lr"] = rate * self.schedule(kind, step)
            starts = torch.randint(len(train) - self.LENGTH, (self.ROWS, 1), generator=chance)
            batch = train[starts + torch.arange(self.LENGTH + 1)]
            optimizer.zero_grad(set_to_none=True)
            model(batch[:, :-1], batch[:, 1:])[1].backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        with torch.no_grad():
            return model, path, model(rows[:, :-1], rows[:, 1:])[1].item()

    def schedule(self, kind, step):
        """Half a cosine down to nothing; for the GPT times a line up to 1."""
        rise = min(1, (step + 1) / self.WARMUP) if kind == "gpt" else 1
        return rise * 0.5 * (1 + math.cos(math.pi * step / self.STEPS))

    def text(self):
        """The handbook in small letters, with a space for all else; nine tenths, and rows spread over the rest."""
        import torch

        words = "".join(c if c in LETTERS else " " for c in whole_text().lower()).split()
        data = torch.tensor([LETTERS.index(c) for c in " ".join(words)])
        train, val = data[: len(data) * 9 // 10], data[len(data) * 9 // 10 :]
        return train, val.unfold(0, self.LENGTH + 1, (len(val) - self.LENGTH - 1) // 127)

    def model(self, kind):
        from ngpt.baseline import GPT
        from ngpt.model import nGPT

        return (GPT if kind == "gpt" else nGPT)(**SIZES, block_size=self.LENGTH)

    def build(self, weights):
        """The trained nGPT."""
        return self.load("ngpt", weights)

    def load(self, kind, weights):
        """A trained model, in eval mode."""
        import torch

        model = self.model(kind)
        own = {name: array for name, array in weights.items() if name.startswith(f"{kind}/")}
        model.load_state_dict({name.removeprefix(f"{kind}/"): torch.from_numpy(array) for name, array in own.items()})
        return model.eval()

    def trace(self, weights, record):
        import torch

        from ngpt.sphere import l2norm

        paths = torch.from_numpy(weights["paths"])
        idx = torch.tensor([[LETTERS.index(c) for c in self.WORD]])
        with torch.no_grad():
            model = self.load("ngpt", weights)
            with record("forward", model):
                model(idx)
            with record("learning"):
                l2norm(paths)
            with record("shell"):
                l2norm(paths[0, -1], norm_eps=self.EPS)
        record.fact(**SIZES, letters=LETTERS, word=self.WORD, eps=self.EPS, steps=self.STEPS, every=self.EVERY)
        record.fact(**{f"rate_{kind}": rate for kind, rate in zip(KINDS, self.RATES, strict=True)})
