"""How the loss falls with size and with compute."""

import tempfile
from pathlib import Path

from cutaway import Run
from runs.handbook import write_topics


class Scaling(Run):
    """Six sizes at equal tokens, five along three IsoFLOP lines. Its weights are tables: a row for each model."""

    name = "scaling"
    sources = ("nanochat",)
    limit_s = 3600
    budget_s = 210
    VOCABULARY = 512
    COLUMNS = ("n_layer", "n_embd", "parameters", "tokens", "flops", "bpb")

    def train(self, log):
        import numpy as np

        from nanochat.cli import scaling
        from nanochat.dataset import documents
        from nanochat.tokenizer import RustBPETokenizer

        tables = {}
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_topics(folder / "data")
            tokenizer = RustBPETokenizer.train_from_iterator(documents("train", folder / "data"), self.VOCABULARY)
            tokenizer.save(folder / "tokenizer")
            base = scaling.small(str(folder / "data"), str(folder / "tokenizer"), device="cpu")

            def heard(point):
                log(point.parameters, bpb=point.bpb)

            tables["equal"] = scaling.equal_tokens(base, scaling.TOKENS, scaling.SIZES, heard)
            for flops in scaling.FLOPS:
                tables[f"{flops:g}"] = scaling.iso_flop(base, flops, scaling.LINE_SIZES, heard)
        log.fact(vocab_size=tokenizer.get_vocab_size(), block_size=base.max_seq_len, tokens=scaling.TOKENS)
        log.fact(sizes=len(scaling.SIZES), line_sizes=len(scaling.LINE_SIZES), models=sum(map(len, tables.values())))
        return {name: np.array([[getattr(p, c) for c in self.COLUMNS] for p in rows]) for name, rows in tables.items()}

    def trace(self, weights, record):
        from nanochat.cli import scaling
        from nanochat.gpt import GPT
        from nanochat.training import powerlaw
        from nanochat.training.horizon import make_plan

        settings = scaling.small(depth=2, n_embd=64)  # one of the sizes, with the ratio of the first release
        model = GPT(settings.model_config(self.VOCABULARY))
        with record("plan"):
            make_plan(settings, model)
        points = {
            name: [scaling.Point(*map(int, row[:4]), *map(float, row[4:])) for row in table]
            for name, table in weights.items()
        }
        lines = {float(name): rows for name, rows in points.items() if name != "equal"}
        with record("fit"):
            of_size = scaling.exponent_of_size(points["equal"])
        with record("valley"):
            scaling.best_size(lines[max(lines)])
        with record("best"):
            of_best = scaling.exponent_of_best_size(lines)
        record.fact(**interval_facts("exponent", of_size), level=powerlaw.LEVEL, draws=powerlaw.DRAWS)
        record.fact(**interval_facts("exponent_of_best", of_best))
        for number, rows in enumerate(lines.values(), 1):
            best = scaling.best_size(rows)
            record.fact(**interval_facts(f"best{number}", best.at))
            record.fact(**{f"flops{number}": list(lines)[number - 1], f"undetermined{number}": best.undetermined})


def interval_facts(name, found):
    """A number and its bounds as three facts."""
    return {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
