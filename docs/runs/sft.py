"""Supervised fine-tuning, with the mask and without it, and two ways in which it goes wrong."""

import contextlib

from cutaway import Run
from runs.assistant import base_settings, card_facts, card_of, fresh_model, kept_as, model_of, tokenizer_of
from runs.models import round_to_half


class Sft(Run):
    """The model of the run `mid`, fine-tuned: three seeds with the mask and three without; and where that fails."""

    name = "sft"
    sources = ("nanochat",)
    after = ("prose", "mid")
    limit_s = 3600
    budget_s = 420
    SEEDS = (1, 2, 3)
    LEARNED = ("arithmetic", "letters", "sorting")  # choice stays a guess for a model of this size
    EXAMPLES = 1600      # conversations of each
    ALONE = 8000         # of sorting alone, for the model that forgets
    FROM_BASE = 2000     # of arithmetic alone, for the mask that is off by one
    ASKED = 100

    def train(self, log, prose, mid):
        from nanochat.chat.finetune import FINE_TUNING

        tokenizer, kept = tokenizer_of(mid), {"tokenizer": mid["tokenizer"]}
        for seed in self.SEEDS:
            for name, masked in (("masked", True), ("unmasked", False)):
                model = fresh_model(mid)
                conversations = some(self.LEARNED, self.EXAMPLES, seed)
                steps = tune(log, f"{name}_{seed}", model, tokenizer, conversations, masked)
                log.fact(**card_facts(f"{name}_{seed}", card_of(model, tokenizer, self.ASKED)))
                log.fact(**speaker_facts(f"{name}_{seed}", model, tokenizer, self.LEARNED))
                if masked and seed == self.SEEDS[0]:
                    kept |= model.state_dict()
        log.fact(**speaker_facts("before", fresh_model(mid), tokenizer, self.LEARNED))
        log.fact(steps=steps, conversations=len(conversations), examples=self.EXAMPLES, asked=self.ASKED)
        log.fact(frac=FINE_TUNING.init_lr_frac, seeds=len(self.SEEDS))
        self.forget(log, fresh_model(mid), tokenizer)
        kept |= self.begin_at_the_base(log, prose, tokenizer)
        return kept

    def forget(self, log, model, tokenizer):
        """Fine-tuned on one task alone."""
        steps = tune(log, "alone", model, tokenizer, some(["sorting"], self.ALONE, 1))
        log.fact(**card_facts("alone", card_of(model, tokenizer, self.ASKED)), alone_steps=steps)

    def begin_at_the_base(self, log, prose, tokenizer):
        """Fine-tuned without midtraining, with the mask as it is to be, and with one that is a place too late."""
        kept = {}
        for name, mask in (("direct", contextlib.nullcontext()), ("off_by_one", off_by_one())):
            model = fresh_model(prose)
            with mask:
                steps = tune(log, name, model, tokenizer, some(["arithmetic"], self.FROM_BASE, 1))
            log.fact(**card_facts(name, card_of(model, tokenizer, self.ASKED, ["arithmetic"])))
            kept |= kept_as(name, model)
        log.fact(direct_steps=steps)
        return kept

    def build(self, weights):
        """The one with the mask, of the first seed."""
        return model_of(weights)

    def trace(self, weights, record):
        import torch

        from nanochat.chat.chat_data import ChatLoader
        tokenizer, model = tokenizer_of(weights), self.build(weights)
        conversation = example()
        with record("render"):
            ids, _ = tokenizer.render_conversation(conversation)
        with record("prompt"):
            tokenizer.render_for_completion(conversation)
        with record("batch"):
            inputs, targets = next(ChatLoader(tokenizer, some(self.LEARNED, 3, 1), 2, 96))
        with record.sizes("batch", B=3, T=86):
            next(ChatLoader(tokenizer, some(self.LEARNED, 30, 1), 3, 86))
        with torch.no_grad(), record("loss", model):
            model(inputs, targets, loss_reduction="none")
        record.fact(tokens=len(ids), rows=inputs.size(0), T=inputs.size(1))
        record.fact(question=conversation["messages"][0]["content"])


def example():
    """A conversation in which the assistant asks the calculator: the first test question of arithmetic."""
    from runs.assistant import questions

    return questions(1)["arithmetic"][0]


def some(names, size, seed):
    """Training conversations of these tasks, so many of each, shuffled."""
    from nanochat.tasks.mixture import generated
    from nanochat.tasks.task import TaskMixture

    return TaskMixture([task for name, task in generated("train", size, seed).items() if name in names])


def speaker_facts(label, model, tokenizer, names):
    """The mean loss of tokens in test conversations, in nats, by who says them; as facts ``nats_LABEL_users`` ...

    ``teaching`` are the assistant's, ``results`` the calculator's, ``users`` the users' words.
    """
    import torch

    from nanochat.chat.chat_data import ChatLoader
    from nanochat.tasks.mixture import generated
    from nanochat.tasks.task import TaskMixture

    tasks = generated("test", 40, 9)
    task = TaskMixture([tasks[name] for name in names])
    x, y = next(ChatLoader(tokenizer, task, 50, 128, masked=False))
    teaching = next(ChatLoader(tokenizer, task, 50, 128))[1] >= 0
    with torch.no_grad():
        nats = model.eval()(x, y, loss_reduction="none").view(y.shape)
    start, end = (tokenizer.encode_special(f"<|output_{which}|>") for which in ("start", "end"))
    in_results = (x == start).cumsum(1) > (x == end).cumsum(1)
    words = (y >= 0) & (y < tokenizer.get_bos_token_id())  # the special tokens have the highest ids
    kinds = {"teaching": teaching, "results": words & in_results, "users": words & ~in_results & ~teaching}
    return {f"nats_{label}_{kind}": nats[which].mean().item() for kind, which in kinds.items()}


def tune(log, name, model, tokenizer, conversations, masked=True):
    """Fine-tune a model; the number of steps. The losses go into the log under the name."""
    from dataclasses import replace

    from nanochat.chat.finetune import FINE_TUNING, begin_stage, run_stage

    stage = replace(FINE_TUNING, masked=masked)
    training = begin_stage(stage, stage.settings(base_settings(), eval_every=-1), model, tokenizer, conversations)
    run_stage(training, report=lambda step, **values: log(step, **{f"loss_{name}": values["loss"]}))
    round_to_half(model)
    return training.plan.num_iterations


@contextlib.contextmanager
def off_by_one():
    """The mask is read where a token is read, not where it is foretold: a mistake that no error tells of."""
    from nanochat.chat import chat_data

    right = chat_data.supervised

    def supervised(ids, mask):
        targets = ids[:, 1:].clone()
        targets[mask[:, :-1] == 0] = -1
        return targets

    chat_data.supervised = supervised
    try:
        yield
    finally:
        chat_data.supervised = right
