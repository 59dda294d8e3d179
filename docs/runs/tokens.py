"""A vocabulary, merge by merge."""

import tempfile

from cutaway import Run
from runs.handbook import sections, source


class Tokens(Run):
    """A vocabulary of byte pairs, learned from the sections of Python's handbook, merge by merge."""

    name = "tokens"
    sources = ("nanochat",)
    limit_s = 150
    budget_s = 10
    SIZE = 512
    SIZES = (256, 320, 384, 512, 768, 1024, 1536, 2048, 3072, 4096)
    SHOWN = 8  # merges of which it is kept what other pairs there were
    TEXT = "It's a string of 2048 bytes!"
    CHUNK = " string"

    def train(self, log):
        import numpy as np

        from nanochat.data import bpe, compression, corpus

        held_out = sections()[::10]
        texts = [text for i, text in enumerate(sections()) if i % 10]
        merges = bpe.train(texts, self.SIZE, report=lambda merge: log(merge.id, count=merge.count))
        for series, measured in (("known", texts), ("held_out", held_out)):
            for size, figure in compression.by_vocabulary(texts, measured, self.SIZES).items():
                log(size, **{series: figure})
        pairs, rivals = bpe.Pairs(bpe.count_chunks(texts)), []
        for merge in merges[: self.SHOWN]:
            log.fact(**{f"pairs_{len(rivals)}": len(pairs.counts)})
            rivals.append([[*pair, count] for pair, count in pairs.counts.most_common(4)])
            pairs.merge((merge.left, merge.right), merge.id)
        line = self.line(texts, merges)
        ids = {(merge.left, merge.right): merge.id for merge in merges}
        size = corpus.measure(texts)
        log.fact(corpus=source, documents=size.documents, characters=size.characters, bytes=size.bytes)
        log.fact(digest=size.digest[:16], held_out=len(held_out), vocab_size=self.SIZE, merges=len(merges))
        log.fact(text=self.TEXT, chunk=self.CHUNK, line=line, chunks=sum(bpe.count_chunks(texts).values()))
        log.fact(distinct=len(bpe.count_chunks(texts)), n_ids=len(bpe.encode(self.TEXT, merges)))
        log.fact(split="\n".join(bpe.split(self.TEXT)))
        return {
            "merges": np.array([[merge.left, merge.right, merge.id, merge.count] for merge in merges]),
            "rivals": np.array(rivals),
            "line": self.padded([bpe.encode(line, merges[:n]) for n in (*range(self.SHOWN + 1), 64, len(merges))]),
            "steps": self.padded(bpe.encode_steps(self.CHUNK, ids)),
            "text": np.array(bpe.encode(self.TEXT, merges)),
        }

    def line(self, texts, merges):
        """The line of the corpus that most of the first merges change."""
        from itertools import pairwise

        from nanochat.data import bpe

        def changes(line):
            sizes = [len(bpe.encode(line, merges[:n])) for n in range(self.SHOWN + 1)]
            return sum(before > after for before, after in pairwise(sizes))

        lines = (line for text in texts for line in text.splitlines())
        return max((line for line in lines if 12 <= len(line) <= 22 and line.isascii()), key=changes)

    def padded(self, rows):
        """Rows of token ids as one matrix; -1 stands where a row has ended."""
        import numpy as np

        matrix = np.full((len(rows), max(map(len, rows))), -1)
        for row, ids in zip(matrix, rows, strict=True):
            row[: len(ids)] = ids
        return matrix

    def build(self, weights):
        """The tokenizer of these merges."""
        from nanochat import tokenizer
        from nanochat.data import bpe, vocabulary

        tokens = [bytes([i]) for i in range(bpe.BYTES)] + [merge.token for merge in self.merges(weights)]
        encoding = vocabulary.build(tokens, bpe.SPLIT_PATTERN, tokenizer.SPECIAL_TOKENS)
        return tokenizer.RustBPETokenizer(encoding, "<|bos|>")

    def merges(self, weights):
        from nanochat.data import bpe

        tokens, merges = [bytes([i]) for i in range(bpe.BYTES)], []
        for left, right, new, count in weights["merges"].tolist():
            tokens.append(tokens[left] + tokens[right])
            merges.append(bpe.Merge(left, right, new, count, tokens[-1]))
        return merges

    def trace(self, weights, record):
        from types import SimpleNamespace

        from nanochat.data import bpe
        from nanochat.tokenizer import get_token_bytes

        tokenizer, merges = self.build(weights), self.merges(weights)
        with record("train", SimpleNamespace(named_parameters=weights.items)):
            bpe.train(["hello hello help"], bpe.BYTES + 4)
        with record("split"):
            bpe.split_named(self.TEXT)
        with record("encode"):
            bpe.encode(self.CHUNK, merges)
        with record("decode"):
            bpe.decode(weights["text"].tolist(), merges)
        with record("tokenizer"):
            tokenizer.encode(self.TEXT, prepend="<|bos|>")
        with tempfile.TemporaryDirectory() as folder:
            tokenizer.save(folder)
            with record("lengths"):
                get_token_bytes(folder=folder)
