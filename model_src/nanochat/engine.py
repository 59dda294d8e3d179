"""Inference: a model writes, several samples at once, nothing computed twice, and with a calculator at hand.

The prompt goes through the model once (prefill), then one token of each sample at a time (decode). What attention
needs of earlier tokens, their keys and values, waits in a cache.

B here is the number of samples, each one row of the batch.
"""

from collections import deque
from dataclasses import dataclass, field

import torch

from nanochat.chat.calculator import use_calculator
from nanochat.chat.sampling import check_sampling, sample_next_token


class KVCache:
    """Keys and values of every layer for up to ``seq_len`` tokens in each of ``batch_size`` rows.

    All rows hold equally many. ``num_heads`` are the heads that are asked, G: grouped queries make the cache smaller.
    """

    def __init__(self, batch_size, num_heads, seq_len, head_dim, num_layers, device="cpu", dtype=torch.float32):
        self.seq_len = seq_len
        shape = (num_layers, batch_size, seq_len, num_heads, head_dim)    # (L, B, T, G, D)
        self.k_cache = torch.zeros(shape, device=device, dtype=dtype)
        self.v_cache = torch.zeros(shape, device=device, dtype=dtype)
        # Tokens in each row. Every layer asks for it: from a GPU, it would have to wait for the answer.
        self.cache_seqlens = torch.zeros(batch_size, dtype=torch.int32)
        self.prev_embedding = None                                        # (B, 1, C): smear reads it

    def reset(self):
        """Forget everything; the memory stays."""
        self.cache_seqlens.zero_()
        self.prev_embedding = None

    def get_pos(self):
        """How many tokens each row holds: the position of the next one."""
        return self.cache_seqlens[0].item()

    def get_layer_cache(self, layer_idx):
        """The keys and the values of a layer, (B, T, G, D) each: to be read, and to be written at ``get_pos()``."""
        self.check_room(1)
        return self.k_cache[layer_idx], self.v_cache[layer_idx]

    def advance(self, num_tokens):
        """So many tokens have been written, in all layers."""
        self.check_room(num_tokens)
        self.cache_seqlens += num_tokens

    def check_room(self, num_tokens):
        """ValueError where so many more tokens don't fit."""
        if self.get_pos() + num_tokens > self.seq_len:
            raise ValueError(
                f"the cache holds {self.get_pos()} of at most {self.seq_len} tokens, so {num_tokens} more don't fit: "
                "make it with a larger seq_len"
            )

    def prefill(self, other):
        """Copy a cache of one row into every row of this one, which is empty; or one of as many rows, row by row."""
        if self.get_pos() > 0:
            raise ValueError(f"the cache holds {self.get_pos()} tokens already: only an empty one can be prefilled")
        rows, other_rows = self.k_cache.size(1), other.k_cache.size(1)
        alike = other.k_cache[:, :1, :0].shape == self.k_cache[:, :1, :0].shape    # L, G and D
        if not alike or other_rows not in (1, rows):
            raise ValueError(
                f"a cache of the shape {tuple(self.k_cache.shape)} can't be prefilled from one of "
                f"{tuple(other.k_cache.shape)}: one row is needed, or as many, and equal layers, heads and head sizes"
            )
        pos = other.get_pos()
        self.advance(pos)
        self.k_cache[:, :, :pos] = other.k_cache[:, :, :pos]
        self.v_cache[:, :, :pos] = other.v_cache[:, :, :pos]
        if other.prev_embedding is not None:
            self.prev_embedding = other.prev_embedding.expand(rows, -1, -1)

    @property
    def nbytes(self):
        """The bytes that it takes, however many of its tokens are in use."""
        return self.k_cache.nbytes + self.v_cache.nbytes


@dataclass
class Row:
    """What there is to know about one sample while it grows."""

    expression: list | None = None                # tokens since <|python_start|>; None: it asks nothing
    forced: deque = field(default_factory=deque)  # tokens that come next, whatever the model would say
    done: bool = False                            # it has said its last token


def as_prompts(tokens):
    """A prompt -> a list of it alone; several prompts -> a list of them. The lists are new ones."""
    if tokens and isinstance(tokens[0], list):
        return [list(prompt) for prompt in tokens]
    return [list(tokens)]


class Engine:
    """A model and its tokenizer, ready to write."""

    def __init__(self, model, tokenizer):
        self.model = model
        self.tokenizer = tokenizer
        self.python_start = tokenizer.encode_special("<|python_start|>")
        self.python_end = tokenizer.encode_special("<|python_end|>")
        self.output_start = tokenizer.encode_special("<|output_start|>")
        self.output_end = tokenizer.encode_special("<|output_end|>")
        self.terminal = {tokenizer.encode_special("<|assistant_end|>"), tokenizer.get_bos_token_id()}

    def generate(self, tokens, num_samples=1, max_tokens=None, temperature=1.0, top_k=None, seed=42, top_p=None):
        """Yield (token column, mask column) after the list ``tokens``: for each sample its next token, and its mask.

        The mask is 1 where the model chose, 0 where the calculator answered. A sample ends with <|assistant_end|> or
        <|bos|>; what its row holds afterwards has no meaning. All end after ``max_tokens`` (None: as many as the model
        has rotations for). Equal seeds give equal samples. ValueError, at once, where something is out of range.

        ``tokens`` may also be several prompts of equal length; then each has one sample.
        """
        check_sampling(temperature, top_k, top_p)
        if num_samples < 1:
            raise ValueError(f"num_samples={num_samples}: 1 or more are needed")
        prompts = as_prompts(tokens)
        if len(prompts) > 1 and num_samples > 1:
            raise ValueError(f"{len(prompts)} prompts and num_samples={num_samples}: several have one sample each")
        for prompt in prompts:
            self.check_prompt(prompt, len(prompts[0]))
        max_tokens = self.check_length(len(prompts[0]), max_tokens)
        return self.decode(prompts, max(len(prompts), num_samples), max_tokens, seed, (temperature, top_k, top_p))

    def check_prompt(self, prompt, length):
        """ValueError where it is empty, not as long as the first one, or has tokens that the model doesn't know."""
        if not prompt:
            raise ValueError("the prompt is empty: <|bos|> is the least that a model can go on from")
        if len(prompt) != length:
            raise ValueError(f"prompts of {length} and of {len(prompt)} tokens: rows of one cache are equally long")
        vocab_size = self.model.config.vocab_size
        for token in prompt:
            if not 0 <= token < vocab_size:
                raise ValueError(f"the prompt has the token {token}, but the model's are 0 to {vocab_size - 1}")

    def check_length(self, length, max_tokens):
        """How many tokens may follow a prompt of this length; ValueError where they are more than can be."""
        longest = self.model.cos.size(1)
        if length > longest:
            raise ValueError(f"a prompt of {length} tokens, but the model has rotations for {longest}: shorten it")
        if max_tokens is None:
            return longest - length
        if max_tokens < 0:
            raise ValueError(f"max_tokens={max_tokens}: 0 or more are needed, or None")
        if length + max_tokens > longest:
            raise ValueError(
                f"a prompt of {length} tokens and max_tokens={max_tokens}, but the model has rotations for {longest} "
                f"in all: ask for {longest - length} at most, or shorten the prompt"
            )
        return max_tokens

    @torch.inference_mode()
    def decode(self, prompts, num_rows, max_tokens, seed, options):
        """The steps of ``generate``; ``options`` are temperature, top_k and top_p. B is ``num_rows``."""
        device = self.model.get_device()
        rng = torch.Generator(device=device).manual_seed(seed)
        logits, cache = self.prefill(prompts, num_rows, max_tokens)
        rows = [Row() for _ in range(num_rows)]
        for left in reversed(range(max_tokens)):
            drawn = sample_next_token(logits, rng, *options)               # (B, 1)
            # A row that is done goes on with the others: they share one position in one cache, and one generator
            # draws for all, so without it the others would draw other tokens.
            column = drawn.flatten().tolist()
            masks = [1] * num_rows
            for i, row in enumerate(rows):
                column[i], masks[i] = self.take(row, column[i])
            yield column, masks
            if left == 0 or all(row.done for row in rows):
                return
            idx = torch.tensor(column, device=device).unsqueeze(1)         # (B, 1)
            logits = self.model(idx, kv_cache=cache)[:, -1]                # (B, V)

    def prefill(self, prompts, num_rows, max_tokens):
        """The logits after the prompt, (B, V), and a cache with the prompt in B rows and room for the rest.

        Where all samples have one prompt, it goes through the model as one row. They part with their first token,
        which each draws for itself.
        """
        idx = torch.tensor(prompts, device=self.model.get_device())        # (1, T); (B, T) where they are several
        read = self.make_cache(len(prompts), idx.size(1))
        logits = self.model(idx, kv_cache=read)[:, -1]                     # (1, V) or (B, V)
        cache = self.make_cache(num_rows, idx.size(1) + max_tokens)
        cache.prefill(read)
        return logits.expand(num_rows, -1), cache

    def make_cache(self, batch_size, seq_len):
        """An empty cache that fits the model."""
        config = self.model.config
        head_dim = config.n_embd // config.n_head
        device = self.model.get_device()
        return KVCache(batch_size, config.n_kv_head, seq_len, head_dim, config.n_layer, device, self.model.dtype)

    def take(self, row, drawn):
        """The token that a row really gets, and its mask: what is forced upon it, else what was drawn for it."""
        if row.done:
            return drawn, 1
        if row.forced:
            return row.forced.popleft(), 0
        if drawn in self.terminal:
            row.done = True
        elif drawn == self.python_start:
            row.expression = []
        elif drawn == self.python_end and row.expression is not None:
            row.forced.extend(self.answer(row.expression))
            row.expression = None
        elif row.expression is not None:
            row.expression.append(drawn)
        return drawn, 1

    def answer(self, expression):
        """The calculator's answer to an expression, both as tokens; nothing where it has none."""
        value = use_calculator(self.tokenizer.decode(expression))
        if value is None:
            return []
        return [self.output_start, *self.tokenizer.encode(str(value)), self.output_end]

    def generate_batch(self, tokens, num_samples=1, **options):
        """``generate``, to the end: for each sample all tokens, the prompt before them, and their masks.

        The token that ended a sample is left out. ``options`` are those of ``generate``.
        """
        columns = self.generate(tokens, num_samples, **options)
        prompts = as_prompts(tokens)
        sequences = prompts if len(prompts) > 1 else [list(prompts[0]) for _ in range(num_samples)]
        masks = [[0] * len(sequence) for sequence in sequences]
        ended = [False] * len(sequences)
        for column, mask_column in columns:
            for i in range(len(sequences)):
                ended[i] = ended[i] or column[i] in self.terminal
                if not ended[i]:
                    sequences[i].append(column[i])
                    masks[i].append(mask_column[i])
        return sequences, masks
