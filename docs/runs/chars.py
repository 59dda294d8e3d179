"""nanoGPT's own training, and the first steps of its optimizer."""

import contextlib
import tempfile
from dataclasses import replace
from pathlib import Path

from cutaway import Run
from runs.handbook import whole_text
from runs.models import load_weights, quiet, round_to_half


class Chars(Run):
    """nanoGPT's own training, on the characters of a text that every Python carries."""

    name = "chars"
    sources = ("nanogpt", "nanochat")
    limit_s = 900
    budget_s = 70
    TOKENS = 40  # that the trained model writes for the book

    def train(self, log):
        import json

        import numpy as np

        from nanochat.training.diagnosis import plateaus, spikes
        from nanogpt import train
        from nanogpt.data import prepare_char
        from nanogpt.world import World

        loss, norm = [], []

        def heard(step, **values):
            log(step, **values)
            if "loss" in values:
                loss.append(values["loss"])
                norm.append(values["grad_norm"])

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            meta = prepare_char(whole_text(), Path("data/topics"))
            state = train.train(preset(), World(), report=heard)
            round_to_half(state.model)
            losses = train.estimate_loss(state.model, preset(), World())
        log.fact(n_characters=len(whole_text()), vocab_size=meta["vocab_size"])
        log.fact(n_params=state.model.get_num_params(), iters=preset().max_iters)
        log.fact(**{f"{split}_loss": mean.item() for split, mean in losses.items()})
        found = {"loss": spikes(np.array(loss)), "norm": spikes(np.log(norm))}
        flat = {length: plateaus(np.array(loss), length) for length in (50, 100, 200)}
        log.fact(spikes=json.dumps({name: steps.tolist() for name, steps in found.items()}))
        log.fact(plateaus=json.dumps({length: ends.tolist() for length, ends in flat.items()}))
        return state.model.state_dict()

    def build(self, weights):
        """The trained model; its explicit attention, like the sort model's, can be looked into."""
        return load_weights(self.config(), weights)

    def trace(self, weights, record):
        import torch

        from nanogpt import sample, train
        from nanogpt.data import prepare_char
        from nanogpt.world import World

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            prepare_char(whole_text(), Path("data/topics"))
            options, model = preset(), self.build(weights)
            state = train.State(model, model, None, torch.amp.GradScaler("cuda", enabled=False))
            torch.manual_seed(train.SEED)
            with record("data"):
                prepare_char(whole_text()[:200], Path("data/excerpt"))
            with record("batch"):
                train.get_batch(options, "train", "cpu")
            with record("schedule"):
                train.get_lr(options.warmup_iters // 2, options)
            with record("decay"):
                train.get_lr(options.max_iters // 2, options)
            with record("optimizer", model):
                betas = (options.beta1, options.beta2)
                state.optimizer = model.configure_optimizers(options.weight_decay, 1e-3, betas, "cpu")
            batches = train.Batches(options, "cpu")
            with record("step", model):
                train.micro_steps(state, options, World(), batches)
                train.update(state, options)
            with record("mfu", model):
                model.estimate_mfu(options.batch_size, 0.1)
            few = replace(options, out_dir="out", max_iters=0, eval_iters=1, always_save_checkpoint=True)
            with steady_clock(), record("loop"), quiet():
                train.train(few, World())
            train.save(few, replace(state, model=self.build(weights)), {})
            told = sample.SampleOptions(device="cpu", num_samples=1, max_new_tokens=self.TOKENS, start="The ")
            with record("sample"), quiet():
                text = sample.sample(told)[0]
            other = replace(options, batch_size=5, block_size=7)
            with record.sizes("batch", B=5, T=7):
                train.get_batch(other, "train", "cpu")
        record.fact(sample=text, batch_size=options.batch_size, block_size=options.block_size)
        record.fact(**{name: getattr(model.config, name) for name in ("n_layer", "n_head", "n_embd")})
        settings = ("learning_rate", "min_lr", "warmup_iters", "lr_decay_iters", "weight_decay", "grad_clip", "beta2")
        record.fact(**{name: getattr(options, name) for name in settings})

    def config(self):
        from nanogpt.model import GPTConfig

        options, vocab_size = preset(), len(set(whole_text()))
        sizes = {name: getattr(options, name) for name in ("n_layer", "n_head", "n_embd", "block_size", "bias")}
        return GPTConfig(**sizes, vocab_size=vocab_size)


class AdamW(Run):
    """The first steps of the run `chars` once more, with the gradients that its AdamW was given."""

    name = "adamw"
    sources = ("nanogpt", "nanochat")
    limit_s = 120
    budget_s = 12
    STEPS = 40
    CHANNELS = 16  # of every character's vector: the numbers that are kept
    CHANNEL = 0    # that is followed

    def train(self, log):
        """Tied to the output as it is, `wte` gets a gradient for every character in every step."""
        import torch
        from torch.optim.optimizer import register_optimizer_step_pre_hook

        from nanogpt import train
        from nanogpt.data import prepare_char
        from nanogpt.world import World

        taken = {"before": [], "gradient": []}

        def keep(optimizer, args, kwargs):
            wte = optimizer.param_groups[0]["params"][0]
            taken["before"].append(wte.detach().clone())
            taken["gradient"].append(wte.grad.clone())

        options = replace(preset(), max_iters=self.STEPS)  # one step more, whose weights are the last result
        hook = register_optimizer_step_pre_hook(keep)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            prepare_char(whole_text(), Path("data/topics"))
            train.train(options, World(), report=log)
        hook.remove()
        return {name: torch.stack(tensors)[..., :self.CHANNELS] for name, tensors in taken.items()}

    def trace(self, weights, record):
        import torch

        from nanochat.training.groups import adamw_group
        from nanochat.training.optim import adamw_step
        from nanogpt.train import get_lr

        options = preset()
        before, gradient = (torch.from_numpy(weights[name][..., self.CHANNEL]) for name in ("before", "gradient"))
        W = before[0].clone()
        exp_avg, exp_avg_sq = torch.zeros_like(W), torch.zeros_like(W)
        group = adamw_group([W], 0.0, (options.beta1, options.beta2), options.weight_decay, eps=1e-8)
        with record("step"):
            for step in range(self.STEPS):
                group["lr"] = get_lr(step, options)
                adamw_step(W, gradient[step], exp_avg, exp_avg_sq, step + 1, group)
        record.fact(steps=self.STEPS, channels=self.CHANNELS, channel=self.CHANNEL)
        record.fact(beta1=options.beta1, beta2=options.beta2)
        record.fact(characters="".join(sorted(set(whole_text()))))  # in the order of their tokens
        record.fact(apart=(W - before[self.STEPS]).abs().max().item())


def preset():
    """The preset for a CPU, with a third of its steps."""
    from nanogpt.configurator import configure
    from nanogpt.train import TrainOptions

    preset = configure(TrainOptions(), ["config/train_shakespeare_char_cpu.py"], "")
    return replace(preset, dataset="topics", max_iters=700, lr_decay_iters=700, always_save_checkpoint=False)


@contextlib.contextmanager
def steady_clock():
    """A clock that goes on by a tenth of a second whenever it is read: a recorded time is the same in every build."""
    import time
    from itertools import count

    real = time.perf_counter
    time.perf_counter = (tick / 10 for tick in count()).__next__
    try:
        yield
    finally:
        time.perf_counter = real
