"""Text on its way into rows."""

import tempfile
from pathlib import Path

from cutaway import Run
from runs.handbook import sections, source, topics, whole_text


class Shards(Run):
    """The handbook as shards, its tokenizer, and the first rows that are packed from it. Nothing is trained."""

    name = "shards"
    sources = ("nanochat",)
    limit_s = 100
    budget_s = 20
    VOCAB = 2048
    ROWS, ROOM, WAITING = 4, 257, 8  # B, T + 1, and the documents among which best fit chooses

    def train(self, log):
        """The tokenizer's tokens, and how many tokens each document of the training shards has, BOS counted."""
        import numpy as np

        from nanochat import dataset
        from nanochat.tokenizer import RustBPETokenizer

        with tempfile.TemporaryDirectory() as folder:
            manifest = dataset.write_shards(sections(), Path(folder), source)
            documents = {split: list(dataset.documents(split, folder)) for split in ("train", "val")}
        tokenizer = RustBPETokenizer.train_from_iterator(documents["train"], self.VOCAB)
        encoded = {
            split: tokenizer.encode(texts, prepend=tokenizer.get_bos_token_id()) for split, texts in documents.items()
        }
        size = manifest.size
        log.fact(source=source, documents=size["documents"], characters=size["characters"], bytes=size["bytes"])
        log.fact(digest=size["digest"], shards=manifest.shard_count, row_group=manifest.row_group_size)
        log.fact(shard_bytes=sum(shard.bytes for shard in manifest.shards.values()), vocab_size=self.VOCAB)
        log.fact(**{f"{split}_documents": len(texts) for split, texts in documents.items()})
        log.fact(**{f"{split}_tokens": sum(map(len, ids)) for split, ids in encoded.items()})
        tokens = tokenizer.tokens()
        return {
            "bytes": np.frombuffer(b"".join(tokens), dtype=np.uint8).copy(),
            "ends": np.cumsum([len(token) for token in tokens]),
            "lengths": np.array([len(ids) for ids in encoded["train"]]),
        }

    def build(self, weights):
        """The tokenizer."""
        from nanochat.data import bpe, vocabulary
        from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer

        data, ends = weights["bytes"].tobytes(), weights["ends"].tolist()
        tokens = [data[start:stop] for start, stop in zip([0, *ends], ends, strict=False)]
        return RustBPETokenizer(vocabulary.build(tokens, bpe.SPLIT_PATTERN, SPECIAL_TOKENS), "<|bos|>")

    def trace(self, weights, record):
        import json

        from nanochat import dataset
        from nanochat.data import corpus
        from nanochat.data.packing import BestFit, Greedy
        from nanochat.dataloader import DataLoader, Documents

        tokenizer, T = self.build(weights), self.ROOM - 1
        with tempfile.TemporaryDirectory() as folder:
            with record("corpus"):
                _, found = corpus.python_docs(topics)
            with record("write"):
                dataset.write_shards(found, Path(folder), source)
            with record("read"):
                dataset.read_row_group(dataset.split_files("val", folder)[0], 0)
            options = {"tokenizer": tokenizer, "split": "train", "folder": folder}
            with record("rows"):
                loader = DataLoader(B=self.ROWS, T=T, buffer_size=self.WAITING, **options)
                next(loader)
            with record("resume"):
                again = DataLoader(B=self.ROWS, T=T, buffer_size=self.WAITING, **options)
                again.load_state_dict(loader.state_dict())
                next(again)
            stream = Documents(folder=folder, split="train", tokenizer=tokenizer)
            lengths = weights["lengths"].tolist()
            for name, packing in (("greedy", Greedy()), ("pack", BestFit(self.WAITING))):
                with record(name):
                    plan = [packing.row(self.ROOM, lengths.__getitem__) for _ in range(self.ROWS)]
            with record.sizes("rows", B=5, T=7):
                next(DataLoader(B=5, T=7, buffer_size=self.WAITING, **options))
            texts = [tokenizer.decode(stream[number][1:]) for number in range(2 * self.WAITING)]
        followed = plan[0][-1].document  # the first one that is cut
        whole = tokenizer.encode(texts[followed], prepend="<|bos|>")
        record.fact(B=self.ROWS, T=T, waiting=self.WAITING, lengths=" ".join(map(str, lengths)))
        record.fact(followed=followed, pieces=json.dumps([tokenizer.decode([token]) for token in whole]))
        record.fact(titles=json.dumps([text.split("\n", 1)[0] for text in texts]))
        record.fact(characters_of_chars=json.dumps(sorted(set(whole_text()))))
