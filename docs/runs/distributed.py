"""One training by one process and by two, which really are two."""

import contextlib
import json
import tempfile
from types import SimpleNamespace

from cutaway import Run
from runs.handbook import whole_text
from runs.ranks import (
    CHAT_STEPS,
    STEPS,
    chat_steps,
    gpt_steps,
    largest,
    measure,
    options_of,
    play,
    prepare,
    second_process,
    settings_of,
)


class Distributed(Run):
    """The same global batches by one process and by two, and by two that forget to average; then nanochat."""

    name = "distributed"
    sources = ("nanogpt", "nanochat")
    limit_s = 400
    budget_s = 25

    def train(self, log):
        import numpy as np
        import torch

        from nanochat.common import ALONE
        from nanogpt.world import World

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            prepare()
            with second_process("measure"):
                first = measure()
            second = torch.load("second.pt", weights_only=True)
            averaged, forgotten, *chats = zip(first, second, strict=True)
            batches = [one + other for one, other in zip(*(rank["batches"] for rank in averaged), strict=True)]
            alone = gpt_steps(options_of(), World(), batches)
            rows = interleaved(chats[0])
            chats_alone = [chat_steps(settings_of(), ALONE, rows, half) for half in (True, False)]
        log_gpt(log, alone, averaged, forgotten)
        for kind, chat_alone, chat in zip(("half", "single"), chats_alone, chats, strict=True):
            log_chat(log, kind, chat_alone, chat)
        log.fact(steps=STEPS, chat_steps=CHAT_STEPS, n_params=alone["weights"][0].numel())
        log.fact(chat_params=chat_alone["weights"][0].numel(), chat_memory_alone=chat_alone["memory"])
        log.fact(chat_vocabulary=chat_alone["vocabulary"])
        log.fact(**{f"chat_memory_{rank}": found["memory"] for rank, found in enumerate(chat)})
        options = options_of()
        log.fact(batch_size=options.batch_size, block_size=options.block_size, grad_clip=options.grad_clip)
        log.fact(accumulation=options.gradient_accumulation_steps, letters=json.dumps(sorted(set(whole_text()))))
        return {
            "starts": np.stack([rank["starts"] for rank in averaged]),
            "windows": np.stack([rank["windows"] for rank in averaged]),
            "before": averaged[0]["before"],
            "gradients": np.stack([rank["gradient"] for rank in forgotten]),
            "means": np.stack([rank["gradient"] for rank in averaged]),
            "gradient_alone": alone["gradient"],
            "after": np.stack([rank["after"] for rank in averaged]),
            "row_groups": np.array([[rank, *row] for rank, found in enumerate(chat) for row in found["groups"]]),
        }

    def trace(self, weights, record):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            prepare()
            with second_process("play"):
                play(record, SimpleNamespace(named_parameters=weights.items))


def log_gpt(log, alone, averaged, forgotten):
    """nanoGPT's steps: one process, two that average their gradients, and two that forget to."""
    for step in range(STEPS):
        log(step, loss_alone=alone["loss"][step], loss_two=mean_of(averaged, "loss", step))
        log(step, norm_alone=alone["norm"][step], norm_two=averaged[0]["norm"][step])
        log(step, alone_and_two=largest(alone["weights"][step] - averaged[0]["weights"][step]))
        log(step, ranks=averaged[0]["apart"][step], ranks_forgotten=forgotten[0]["apart"][step])
        log(step, loss_first=forgotten[0]["loss"][step], loss_second=forgotten[1]["loss"][step])
        log(step, norm_first=forgotten[0]["norm"][step], norm_second=forgotten[1]["norm"][step])


def log_chat(log, kind, alone, ranks):
    """nanochat's steps: one process and two, with Muon in half or in single precision."""
    for step in range(CHAT_STEPS):
        log(step, **{f"{kind}_{name}_alone": alone[name][step] for name in ("loss", "norm")})
        log(step, **{f"{kind}_{name}_two": ranks[0][name][step] for name in ("loss", "norm")})
        difference = alone["weights"][step] - ranks[0]["weights"][step]
        log(step, **{f"{kind}_apart": (difference.norm() / alone["weights"][step].norm()).item()})
        log(step, **{f"{kind}_ranks": ranks[0]["apart"][step]})


def interleaved(ranks):
    """All processes' rows in one order, step by step."""
    rows = [found["rows"] for found in ranks]
    count = len(rows[0]) // CHAT_STEPS
    return [row for step in range(CHAT_STEPS) for own in rows for row in own[step * count : (step + 1) * count]]


def mean_of(ranks, name, step):
    return sum(found[name][step] for found in ranks) / len(ranks)
