"""What two clips of the guide show: a training with two mistakes, and the bytes that wait for the backward pass."""

import contextlib
import io
from functools import partial

from cutaway import Run
from runs.handbook import whole_text


class Broken(Run):
    """A small GPT with the targets of other rows and one damaged batch; then the same without these mistakes."""

    name = "broken"
    sources = ("nanogpt", "fieldguide.logs.curve", "fieldguide.loss.judging")
    limit_s = 120
    budget_s = 10
    STEPS, DAMAGED = 300, 140
    ROWS, LENGTH = 8, 32
    RATE, WARMUP = 3e-3, 20
    ASKED = 256  # rows on which the trained models are asked

    def train(self, log):
        """The losses of both, and the loss of each at its end: on rows as they are, and in another order."""
        import torch

        kept, order = {}, torch.randperm(self.LENGTH, generator=torch.Generator().manual_seed(1))
        for kind in ("broken", "mended"):
            model, losses = self.train_one(broken=kind == "broken")
            kept[kind] = torch.tensor(losses)
            for step, loss in enumerate(losses):
                log(step, **{kind: loss})
            data = self.data()
            x, y = self.windows(data, torch.linspace(0, len(data) - self.LENGTH - 1, self.ASKED).long())
            with torch.no_grad():
                log.fact(
                    **{f"{kind}_ordered": model(x, y)[1].item(), f"{kind}_shuffled": model(x[:, order], y)[1].item()}
                )
        return kept

    def train_one(self, broken):
        """The training of docs/guide/loss.md."""
        import torch

        from nanogpt.model import GPT, GPTConfig

        torch.manual_seed(1)
        data, losses = self.data(), []
        sizes = {"block_size": self.LENGTH, "n_layer": 1, "n_head": 4, "n_embd": 32, "dropout": 0.0, "bias": False}
        with contextlib.redirect_stdout(io.StringIO()):  # it announces its size
            model = GPT(GPTConfig(vocab_size=self.vocabulary(), **sizes))
        optimizer = torch.optim.AdamW(model.parameters(), betas=(0.9, 0.95))
        for step in range(self.STEPS):
            x, y = self.windows(data, torch.randint(len(data) - self.LENGTH, (self.ROWS,)))
            if broken:
                y = y.roll(1, 0)  # of the row before
            if broken and step == self.DAMAGED:
                y = self.vocabulary() - 1 - y
            loss = model(x, y)[1]
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for group in optimizer.param_groups:
                group["lr"] = self.RATE * min(1, (step + 1) / (self.WARMUP + 1))
            optimizer.step()
            losses.append(loss.item())
        return model, losses

    def trace(self, weights, record):
        """What `fieldguide loss` finds in the losses, and the numbers of its rules."""
        import math
        from pathlib import Path

        import torch

        from fieldguide.logs.reading import Log
        from fieldguide.loss import judge
        from fieldguide.loss.judging import flat_tail, line_fall, prepare, spikes

        log = Log(Path("broken.log"), vocabulary=self.vocabulary())
        for step, loss in enumerate(weights["broken"].tolist()):
            log.take("book", step, {"loss": loss})
        with record("judge"):
            log.curves["loss"].search()
            (spike,) = spikes(log.curves["loss"])
            case = prepare(log, None, False)
            flat = flat_tail(case)
        found = {key: next(f for f in judge(case) if key in f.what) for key in ("spike", "flat")}
        record.fact(**{f"{key}_{part}": getattr(f, part) for key, f in found.items() for part in ("what", "advice")})
        record.fact(spike_step=spike.step, spike_loss=spike.value, expected=spike.expected, excess=spike.excess)
        fall, error = line_fall(case.values[flat.first :])
        record.fact(flat_first=flat.first, flat_level=flat.level, flat_fall=fall, flat_error=error)
        counts = torch.bincount(self.data())
        share = counts[counts > 0] / counts.sum()
        record.fact(frequencies=-(share * share.log()).sum().item(), even=math.log(self.vocabulary()))
        record.fact(steps=self.STEPS, damaged=self.DAMAGED, vocab_size=self.vocabulary())

    def data(self):
        """The first nine tenths of the handbook's characters, as numbers."""
        import torch

        text = whole_text()
        letters = sorted(set(text))
        return torch.tensor([letters.index(letter) for letter in text[: len(text) * 9 // 10]])

    def vocabulary(self):
        return len(set(whole_text()))

    def windows(self, data, starts):
        """Inputs and targets, (B, T) each."""
        import torch

        rows = data[starts[:, None] + torch.arange(self.LENGTH + 1)]
        return rows[:, :-1], rows[:, 1:]


ROWS, LENGTH = 8, 128
WAYS = {  # rows, tokens of a row, whether scores are kept, whether blocks are computed again
    "usual": (ROWS, LENGTH, False, False),
    "rows": (2 * ROWS, LENGTH, False, False),
    "tokens": (ROWS, 2 * LENGTH, False, False),
    "scores": (ROWS, LENGTH, True, False),
    "long": (ROWS, 2 * LENGTH, True, False),
    "again": (ROWS, LENGTH, False, True),
}


class Kept(Run):
    """A step of nanoGPT's model, played through by `fieldguide memory`: what each part keeps, moment by moment."""

    name = "kept"
    sources = ("nanogpt", "fieldguide.memory.portions")
    limit_s = 120
    budget_s = 10
    pinned = False  # bytes depend on the version of PyTorch, and are counted in seconds
    LAYERS = 4
    SIZES = "--n-layer 4 --n-head 4 --n-embd 128 --vocab 1024 --block 256"

    def train(self, log):
        """The bytes of each part at each moment, a series for each way and part; nothing is trained."""
        for way, sizes in WAYS.items():
            moments, again = self.moments(*sizes)
            for moment, kept in enumerate(moments):
                log(moment, **{f"{way}_{part}": size for part, size in enumerate(kept)})
            for block, size in again:
                log(block, **{f"{way}_computed": size})
        return {}

    def moments(self, rows, length, scores, again):
        """What each part keeps after each part of the forward and of the backward pass; what blocks computed again."""
        from fieldguide.memory.peak import FORWARD
        from fieldguide.memory.trial import Setup, played

        question, found, computed = self.ask(), [[0] * len(self.parts())], []
        with played(question.subject, Setup(checkpointing=again), 1, 32) as trial:

            def note(*_):
                found.append([trial.ledger.sums[FORWARD, part] for part in self.parts()])

            def note_both_ways(module, tensors):
                note()
                tensors[0].register_hook(note)  # called when its gradient is there

            for block in trial.model.transformer.h:
                block.register_forward_pre_hook(note_both_ways)
                if scores:
                    keep_scores(block.attn, question.subject.block)
                if again:
                    watch(block, trial.ledger, computed.append)
            block.register_forward_hook(lambda module, given, out: note_both_ways(module, [out]))
            trial.model.register_forward_hook(note)
            trial.step(rows, length, 1)
            note()
        blocks = reversed(range(self.LAYERS))  # the last first
        return found, sorted(zip(blocks, computed, strict=False))

    def parts(self):
        return ["before the blocks", *(f"block {i}" for i in range(self.LAYERS)), "logits and loss"]

    def ask(self):
        """The question that these sizes put to `fieldguide memory`."""
        import argparse

        from fieldguide import memory

        parser = argparse.ArgumentParser()
        memory.add_arguments(parser)
        return memory.ask(parser.parse_args(["--model", "nanogpt", *self.SIZES.split()]))

    def trace(self, weights, record):
        """The tool's own table of the same step, and the sizes."""
        from fieldguide.memory.portions import layers_table
        from fieldguide.memory.trial import Setup, played

        question = self.ask()
        with played(question.subject, Setup(), ROWS, LENGTH) as trial:
            step = trial.step(ROWS, LENGTH, 1)
        with record("table"):
            layers_table(step, ROWS * LENGTH)
        sizes = question.subject.sizes
        record.fact(**{name: sizes[name] for name in ("n_layer", "n_head", "n_embd")})
        record.fact(vocab_size=question.subject.vocab, rows=ROWS, tokens=LENGTH, ways=", ".join(WAYS))


def keep_scores(attention, longest):
    """Let an attention take the steps that keep a (T, T) matrix for each head."""
    import torch

    attention.flash = False
    attention.register_buffer("bias", torch.tril(torch.ones(1, 1, longest, longest)))


def watch(block, ledger, tell):
    """Tell how many bytes live that a checkpointed block has computed again, when it has."""
    from fieldguide.memory.peak import BACKWARD

    kind, again = "computed again", block.forward  # partial(checkpoint, the block's own, ...)

    def forward(*given):
        if ledger.kind != BACKWARD:
            return again.args[0](*given)
        try:
            with ledger.making(kind):
                return again.args[0](*given)
        finally:  # it breaks off when it has all that is needed
            tell(sum(size for (found, _), size in ledger.sums.items() if found == kind))

    block.forward = partial(again.func, forward, **again.keywords)
