"""The sorting model learns to sort the other way round: with all of its numbers, and with a few beside them."""

import contextlib
import io

from cutaway import Run
from runs.models import load_weights, without_fused_attention

WAYS = {  # of training on, with the settings of add_lora; none trains all numbers
    "full": None,
    "attention": {"rank": 4, "layers": ("attn.c_attn", "attn.c_proj")},
    "rank1": {"rank": 1},
    "rank2": {"rank": 2},
    "rank4": {"rank": 4},
    "rank8": {"rank": 8},
}
SHOWN = "rank4"


class Lora(Run):
    """Each way with the best of three learning rates, three seeds, from the weights of the run ``sort``."""

    name = "lora"
    sources = ("nanogpt",)
    after = ("sort",)
    limit_s = 3600
    budget_s = 120
    RATES = (0.001, 0.003, 0.01)
    SEEDS = (1, 2, 3)
    STEPS = 200
    EVERY = 10  # steps from one look at the words held out to the next
    ROWS = 64
    WARMUP = 20
    BETAS = (0.9, 0.95)

    def train(self, log, sort):
        """``sweep`` losses (ways, rates); ``curves`` losses and ``letters`` right (ways, seeds, looks); ``words`` after.

        ``words`` has the shares of held-out words in the new order and in the old one (ways, seeds, 2). And the model
        of rank 4, of the first seed.
        """
        import numpy as np

        sweep = np.array([[self.train_one(sort, way, rate, 0)["loss"][-1] for rate in self.RATES] for way in WAYS])
        best = {way: self.RATES[row.argmin()] for way, row in zip(WAYS, sweep, strict=True)}
        made = [[self.train_one(sort, way, best[way], seed) for seed in self.SEEDS] for way in WAYS]
        log.fact(**{f"rate_{way}": rate for way, rate in best.items()})
        log.fact(**{f"n_trained_{way}": row[0]["n_trained"] for way, row in zip(WAYS, made, strict=True)})
        log.fact(steps=self.STEPS, every=self.EVERY, seeds=len(self.SEEDS), rows=self.ROWS)
        found = {name: [[one[name] for one in row] for row in made] for name in ("loss", "letters", "words")}
        shown = made[list(WAYS).index(SHOWN)][0]["model"].state_dict()
        return {
            "sweep": sweep,
            **{name: np.array(values) for name, values in found.items()},
            **{f"model/{name}": tensor for name, tensor in shown.items()},
        }

    def train_one(self, weights, way, rate, seed):
        """What one training measured, by name, and the model."""
        import torch

        from nanogpt import sort

        with torch.random.fork_rng(devices=[]), contextlib.redirect_stdout(io.StringIO()):  # sizes are announced
            torch.manual_seed(seed)
            model = self.begin(weights, way)
            optimizer = model.configure_optimizers(0.0, rate, self.BETAS, "cpu")
            words = sort.all_words()
            held_out = sort.is_held_out(words)
            (idx, targets), test = descending(words[~held_out]), descending(words[held_out])
            losses, letters = [], []
            for step in range(self.STEPS + 1):
                if step % self.EVERY == 0:
                    look(model, *test, losses, letters)
                if step == self.STEPS:
                    break
                for group in optimizer.param_groups:
                    group["lr"] = rate * min(1, (step + 1) / self.WARMUP) * (1 - step / self.STEPS)
                batch = torch.randint(len(idx), (self.ROWS,))
                optimizer.zero_grad(set_to_none=True)
                model(idx[batch], targets[batch])[1].backward()
                optimizer.step()
        answers, wanted = sort.sort_words(model, words[held_out]), words[held_out].sort(dim=1).values
        shares = [(answers == order).all(dim=1).float().mean().item() for order in (wanted.flip(1), wanted)]
        count = sum(p.numel() for p in model.parameters() if p.requires_grad)
        return {"loss": losses, "letters": letters, "words": shares, "n_trained": count, "model": model}

    def begin(self, weights, way):
        """The trained sorting model, made ready for a way of training on."""
        import torch

        from nanogpt import sort
        from nanogpt.lora import add_lora
        from nanogpt.model import GPT

        model = GPT(sort.config())
        model.load_state_dict({name: torch.from_numpy(array) for name, array in weights.items()})
        return add_lora(model, **WAYS[way]) if WAYS[way] else model

    def build(self, weights):
        """The model of rank 4, with its small matrices beside the layers, and the attention that can be looked into."""
        import torch

        from nanogpt import sort
        from nanogpt.lora import add_lora
        from nanogpt.model import GPT

        own = {name.removeprefix("model/"): a for name, a in weights.items() if name.startswith("model/")}
        with without_fused_attention(), contextlib.redirect_stdout(io.StringIO()):
            model = add_lora(GPT(sort.config()), **WAYS[SHOWN])
        model.load_state_dict({name: torch.from_numpy(array) for name, array in own.items()}, strict=False)  # no mask
        return model.eval()

    def trace(self, weights, record):
        import torch

        from nanogpt import sort
        from nanogpt.lora import add_lora, lora_state_dict, merge_lora
        from nanogpt.model import GPT, GPTConfig

        model = self.build(weights)
        idx = sort.encode(sort.WORD)
        with torch.no_grad(), record("forward", model):
            model(idx)
        # Sizes that can't be taken for each other, nor for small multiples: they name the axes.
        sizes = {"B": 5, "T": 7, "C": 143, "H": 11, "D": 13, "V": 17}
        odd = GPTConfig(block_size=7, vocab_size=17, n_layer=model.config.n_layer, n_head=11, n_embd=143)
        with without_fused_attention(), contextlib.redirect_stdout(io.StringIO()):
            other = add_lora(GPT(odd), 3).eval()
        with torch.no_grad(), record.sizes("forward", other, **sizes):
            other(torch.arange(35).view(5, 7) % 17)
        with record("add"):
            add_lora(load_weights(sort.config(), unadapted(weights)), **WAYS[SHOWN])
        with record("merge"):
            merge_lora(self.build(weights))
        with record("kept"):
            kept = lora_state_dict(model)
        record.fact(rank=WAYS[SHOWN]["rank"], tensors=len(kept), kept=sum(p.numel() for p in kept.values()))
        record.fact(word=sort.WORD, layers=len(kept) // 2)


def unadapted(weights):
    """The frozen weights alone, by the names that they have without the small matrices."""
    own = {name.removeprefix("model/"): array for name, array in weights.items() if name.startswith("model/")}
    return {name.replace(".base.", "."): array for name, array in own.items() if not name.endswith((".A", ".B"))}


def descending(words):
    """Words (N, 6) -> idx and targets, (N, 11) each: the answer to a word is its letters from last to first."""
    import torch

    from nanogpt import sort

    sequence = torch.cat((words, words.sort(dim=1, descending=True).values), dim=1)
    targets = sequence[:, 1:].clone()
    targets[:, : sort.LENGTH - 1] = sort.IGNORED
    return sequence[:, :-1], targets


def look(model, idx, targets, losses, letters):
    """Note the loss on the words held out, and the share of right letters."""
    import torch

    with torch.no_grad():
        logits, loss = model(idx, targets)
    losses.append(loss.item())
    letters.append((logits.argmax(-1) == targets)[targets >= 0].float().mean().item())
