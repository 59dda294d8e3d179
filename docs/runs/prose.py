"""nanochat from raw text to a base model, and its rotations."""

import tempfile
from dataclasses import replace
from pathlib import Path

from cutaway import Run
from runs.handbook import write_topics
from runs.models import load_nanochat, round_to_half, typed_text, without_fused_attention

VOCABULARY = 1024


class Prose(Run):
    """nanochat from raw text to a base model: shards, tokenizer, training, words."""

    name = "prose"
    sources = ("nanochat",)
    limit_s = 3600
    budget_s = 160
    PROMPT = "The value of"
    EXCERPT = 17  # tokens of a validation document, for the forward pass
    TOKENS = 16  # that the trained model writes in the trace
    TYPED = 64  # tokens that a reader may type into a page

    def train(self, log):
        from nanochat.cli.base_train import evaluate, sample, train
        from nanochat.training.horizon import counted_parameters

        bpb = []

        def heard(step, **values):
            log(step, **values)
            bpb.extend(value for name, value in values.items() if name == "val_bpb")

        with tempfile.TemporaryDirectory() as folder:
            settings, manifest, _ = prepare(Path(folder))
            training = train(settings, report=heard)
            round_to_half(training.model)
            bpb_after = evaluate(training)
        model, plan, config = training.model, training.plan, training.model.config
        log.fact(**{name: manifest.size[name] for name in ("documents", "characters", "bytes", "digest")})
        log.fact(n_params=model.num_scaling_params()["total"], n_matrices=counted_parameters(model, newest=True))
        log.fact(**{name: getattr(config, name) for name in ("n_layer", "n_head", "n_embd", "vocab_size")})
        log.fact(block_size=config.sequence_len, iters=plan.num_iterations, tokens=plan.tokens)
        log.fact(batch_size=settings.device_batch_size, total_batch_size=plan.total_batch_size)
        log.fact(flops=plan.tokens * model.estimate_flops(), flops_per_token=model.estimate_flops())
        log.fact(bpb_before=bpb[0], bpb_after=bpb_after, bpb_least=training.min_val_bpb)
        log.fact(matrix_lr=settings.matrix_lr, warmdown_ratio=settings.warmdown_ratio, grad_clip=settings.grad_clip)
        log.fact(sample=sample(training, self.PROMPT, 100), greedy=sample(training, self.PROMPT, 100, temperature=0))
        return model.state_dict()

    def build(self, weights):
        """The trained model, with the attention that can be looked into."""
        return load_nanochat(settings_of(Path()).model_config(VOCABULARY), weights)

    def trace(self, weights, record):
        import torch

        from nanochat.dataset import documents
        from nanochat.gpt import GPT, GPTConfig
        from nanochat.training.step import begin, take_step

        model = self.build(weights)
        with tempfile.TemporaryDirectory() as folder:
            settings, _, tokenizer = prepare(Path(folder))
            few = replace(settings, device_batch_size=1, max_seq_len=16, total_batch_size=32)
            with without_fused_attention():
                training = begin(few)
            training.model.load_state_dict(model.state_dict())
            with record("step", training.model):
                take_step(training)
            excerpt = next(documents("val", settings.data))
        bos = tokenizer.get_bos_token_id()
        idx = torch.tensor([tokenizer.encode(excerpt, prepend=bos)[: self.EXCERPT]])
        with torch.no_grad():
            with record("forward", model):
                model(idx[:, :-1], idx[:, 1:])
            with record("inference", model):
                model(idx[:, :-1])
            with record("generate", model):
                written = list(model.generate(tokenizer.encode(self.PROMPT, prepend=bos), self.TOKENS, temperature=0))
            record.live("inference", model, idx[:, :-1], reads=typed_text(tokenizer, self.TYPED))
            # Sizes that can't be taken for each other, nor for small multiples or products: they name the axes.
            sizes = {"B": 5, "T": 7, "C": 286, "H": 11, "D": 26, "V": 17}
            odd = GPTConfig(7, 17, model.config.n_layer, n_head=11, n_kv_head=11, n_embd=286)
            with without_fused_attention():
                other = GPT(odd).eval()
            again = torch.arange(35).view(5, 7) % 17
            with record.sizes("forward", other, **sizes):
                other(again, again)
            with record.sizes("inference", other, **sizes):
                other(again)
        record.fact(prompt=self.PROMPT, written=tokenizer.decode(written), T=idx.size(1) - 1)
        record.fact(excerpt=tokenizer.decode(idx[0].tolist()))
        record.fact(D=model.config.n_embd // model.config.n_head)


class Rotary(Run):
    """The rotations of the run `prose`, and text in rows longer than it was trained on. Nothing is trained."""

    name = "rotary"
    sources = ("nanochat",)
    limit_s = 60
    budget_s = 12
    ROWS, LENGTH = 12, 513

    def train(self, log):
        """Rows of tokens of the validation documents, strung together; each row begins with BOS, as in training."""
        import torch

        from nanochat.dataset import documents

        with tempfile.TemporaryDirectory() as folder:
            settings, _, tokenizer = prepare(Path(folder))
            ids = torch.tensor(tokenizer.encode("".join(documents("val", settings.data))))
        step = (len(ids) - self.LENGTH) // (self.ROWS - 1)
        rows = ids.unfold(0, self.LENGTH - 1, step)[: self.ROWS]
        start = torch.full((len(rows), 1), tokenizer.get_bos_token_id())
        log.fact(val_tokens=len(ids), rows=len(rows), length=self.LENGTH)
        return {"rows": torch.cat([start, rows], dim=1)}

    def trace(self, weights, record):
        from nanochat.gpt import ROTARY_SPARE, rotary_tables

        config = settings_of(Path()).model_config(VOCABULARY)
        length, head_dim = ROTARY_SPARE * config.sequence_len, config.n_embd // config.n_head
        with record("tables"):
            rotary_tables(length, head_dim, config.rope_base, "cpu")
        with record.sizes("tables", D=26):
            rotary_tables(70, 26, config.rope_base, "cpu")
        record.fact(base=config.rope_base, spare=ROTARY_SPARE)


def prepare(folder):
    """Write shards and tokenizer; what is to be trained with them, the manifest and the tokenizer."""
    from nanochat.dataset import documents
    from nanochat.tokenizer import RustBPETokenizer

    manifest = write_topics(folder / "data")
    tokenizer = RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), VOCABULARY)
    tokenizer.save(folder / "tokenizer")
    return settings_of(folder), manifest, tokenizer


def settings_of(folder):
    """About five times through the text; more would be learned by heart."""
    from nanochat.training.settings import Settings

    return Settings(
        data=str(folder / "data"), tokenizer=str(folder / "tokenizer"), depth=4, n_embd=128, head_dim=32,
        max_seq_len=128, device_batch_size=8, total_batch_size=1024, num_iterations=700, warmdown_ratio=0.4,
        eval_every=50, device="cpu", peak_flops=1.0,
    )  # fmt: skip
