"""The way back: a pass of a half-trained sort model with its gradients, and the same by the rules in NumPy."""

from unittest import mock

from cutaway import Run
from cutaway.runs.gradients import gradients
from runs.models import load_weights, round_to_half, without_fused_attention


class Backward(Run):
    """The sorting model after a few steps, while it still errs: a trained one has next to no gradient.

    In double precision, so that what rounding leaves is far below what the pages compare.
    """

    name = "backward"
    sources = ("nanogpt", "micro")
    limit_s = 300
    budget_s = 12
    inputs = ("../../ext/cutaway/runs/gradients.py",)  # it decides what is recorded, as this file does
    STEPS = 40

    def train(self, log):
        from nanogpt import sort

        with mock.patch.multiple(sort, MAX_ITERS=self.STEPS):
            model = sort.train(report=log)
        round_to_half(model)
        log.fact(accuracy=sort.accuracy(model), steps=self.STEPS, n_params=sum(p.numel() for p in model.parameters()))
        return model.state_dict()

    def build(self, weights):
        from nanogpt import sort

        return load_weights(sort.config(), weights).double()

    def trace(self, weights, record):
        import torch

        from micro.gpt import loss_and_gradients
        from micro.number import Number
        from nanogpt import sort
        from nanogpt.model import GPT, GPTConfig

        model = self.build(weights)
        idx, targets = sort.example(sort.WORD)
        with gradients(record, "forward", model) as of:
            _, loss = model(idx, targets)
            of(loss)
        with record("rules"):
            loss_and_gradients(arrays(model), idx.numpy(), targets.numpy(), model.config.n_head)
        with record("number"):
            x, w = Number(3.0), Number(-2.0)
            (x * w + x).backward()
        # Sizes that can't be taken for each other, nor for small multiples or products: they name the axes.
        sizes = {"B": 5, "T": 7, "C": 143, "H": 11, "D": 13, "V": 17}
        odd = GPTConfig(block_size=7, vocab_size=17, n_layer=model.config.n_layer, n_head=11, n_embd=143)
        with without_fused_attention():
            other = GPT(odd).eval()
        ids = torch.arange(35).view(5, 7) % 17
        with torch.no_grad(), record.sizes("forward", other, **sizes):
            other(ids, ids)
        with record.sizes("rules", **sizes):
            loss_and_gradients(arrays(other), ids.numpy(), ids.masked_fill(ids == 0, -1).numpy(), 11)
        record.fact(word=sort.WORD, T=idx.size(1), n_layer=model.config.n_layer, n_targets=int((targets >= 0).sum()))


def arrays(model):
    """A model's weights for NumPy, by name."""
    return {name: p.detach().numpy() for name, p in model.named_parameters()}
