"""The sorting model with other numbers of heads. Its weights are tables: what each training measured."""

import contextlib
import io
from dataclasses import replace
from unittest import mock

from cutaway import Run


class Heads(Run):
    """Two depths, five numbers of heads, six seeds: sixty trainings by the recipe of the run ``sort``.

    A seed gives every number of heads the same first weights and the same batches, so they can be compared in pairs.
    """

    name = "heads"
    sources = ("nanogpt",)
    limit_s = 3600
    budget_s = 420
    LAYERS = (3, 1)
    HEADS = (1, 2, 3, 4, 6)
    SEEDS = (1, 2, 3, 4, 5, 6)
    EVERY = 20  # steps from one look at the words held out to the next

    def train(self, log):
        """``letters``: right letters of held-out words (layers, heads, seeds, looks); ``loss`` and ``words`` at the end.

        ``words`` has two shares (layers, heads, seeds, 2): of all words, and of those held out.
        """
        import numpy as np

        made = [[[self.train_one(*sizes, seed) for seed in self.SEEDS] for sizes in self.sizes(n)] for n in self.LAYERS]
        found = {
            name: np.array([[[one[name] for one in row] for row in rows] for rows in made])
            for name in ("letters", "loss", "words")
        }
        log.fact(every=self.EVERY, seeds=len(self.SEEDS), trainings=found["loss"].size)
        for layers, rows in zip(self.LAYERS, made, strict=True):
            (n_params,) = {one["n_params"] for row in rows for one in row}
            log.fact(**{f"n_params_{layers}": n_params})
        return found

    def sizes(self, layers):
        return [(layers, heads) for heads in self.HEADS]

    def train_one(self, layers, heads, seed):
        """What one training measured, by name."""
        import torch

        from nanogpt import sort

        config = replace(sort.config(), n_layer=layers, n_head=heads)
        words = sort.all_words()
        held_out = sort.is_held_out(words)
        idx, targets = sort.pairs(words[held_out])
        growing, letters = [], []

        def look(step, **values):
            if step % self.EVERY == 0:
                with torch.no_grad():
                    right = growing[0](idx, targets)[0].argmax(-1) == targets
                letters.append(right[targets >= 0].float().mean().item())

        with (
            contextlib.redirect_stdout(io.StringIO()),  # a model announces its size
            mock.patch.multiple(sort, SEED=seed, config=lambda: config),
        ):
            model = sort.train(look, growing.append)
        with torch.no_grad():
            loss = model(idx, targets)[1].item()
        return {
            "letters": letters,
            "loss": loss,
            "words": [sort.accuracy(model), sort.accuracy(model, words[held_out])],
            "n_params": sum(p.numel() for p in model.parameters()),
        }

    def trace(self, weights, record):
        """One pass of a model that nobody has trained: it has the shapes of the most heads."""
        import torch

        from nanogpt import sort
        from nanogpt.model import GPT
        from runs.models import without_fused_attention

        with without_fused_attention(), contextlib.redirect_stdout(io.StringIO()):
            model = GPT(replace(sort.config(), n_head=max(self.HEADS))).eval()
        with torch.no_grad(), record("forward", model):
            model(sort.encode(sort.WORD))
        record.fact(most=max(self.HEADS), deepest=max(self.LAYERS))
