"""Midtraining: the base model reads conversations."""

from cutaway import Run
from runs.assistant import (
    base_settings,
    card_facts,
    card_of,
    fresh_model,
    make_tokenizer,
    model_of,
    questions,
    tokenizer_of,
)
from runs.models import round_to_half


class Mid(Run):
    """The base model of the run `prose`, midtrained on made-up conversations of four tasks."""

    name = "mid"
    sources = ("nanochat",)
    after = ("prose",)
    limit_s = 3600
    budget_s = 150
    EXAMPLES = 4500  # conversations of each task
    ASKED = 100      # questions of each task, before and after
    HELD_OUT = 40    # conversations of each task, for bits per byte
    EVERY = 80       # steps between measurements

    def train(self, log, prose):
        from nanochat.chat.finetune import MIDTRAINING, begin_stage, run_stage
        from nanochat.tasks.mixture import mixture

        kept = {"tokenizer": make_tokenizer()}
        tokenizer, model = tokenizer_of(kept), fresh_model(prose)
        log.fact(**card_facts("before", card_of(model, tokenizer, self.ASKED)))
        settings = MIDTRAINING.settings(base_settings(), eval_every=self.EVERY)
        conversations = mixture(self.EXAMPLES)
        training = begin_stage(MIDTRAINING, settings, model, tokenizer, conversations)
        run_stage(training, mixture(self.HELD_OUT, split="test"), log)
        round_to_half(model)
        log.fact(**card_facts("after", card_of(model, tokenizer, self.ASKED)))
        log.fact(conversations=len(conversations), examples=self.EXAMPLES, asked=self.ASKED)
        log.fact(steps=training.plan.num_iterations, tokens=training.plan.tokens)
        return {**model.state_dict(), **kept}

    def build(self, weights):
        return model_of(weights)

    def trace(self, weights, record):
        import torch

        from nanochat.chat.chat_data import ChatLoader
        from nanochat.chat.finetune import MIDTRAINING, begin_stage, run_stage
        from nanochat.tasks.mixture import mixture

        tokenizer = tokenizer_of(weights)
        few = MIDTRAINING.settings(
            base_settings(), device_batch_size=1, max_seq_len=32, total_batch_size=32, num_iterations=1, eval_every=-1
        )
        torch.manual_seed(0)
        with record("stage", model := self.build(weights)):
            run_stage(begin_stage(MIDTRAINING, few, model, tokenizer, mixture(2)))
        loader = ChatLoader(tokenizer, mixture(8), 2, 48, masked=False, whole=False)
        with record("batch"):
            next(loader)
        with record.sizes("batch", B=3, T=70):
            next(ChatLoader(tokenizer, mixture(30), 3, 70, masked=False, whole=False))
        with record("example"):
            mixture(2)[0]
        record.fact(question=questions(1)["arithmetic"][0]["messages"][0]["content"])
