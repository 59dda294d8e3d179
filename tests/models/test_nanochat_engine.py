"""The engine against the model without a cache, GPT.generate, figures of the original, and scripts of what is said."""

import math
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_nanochat_gpt import NOISE, golden, probe, stirred
from torch.nn import functional as F

from nanochat.chat.sampling import keep_nucleus, sample_next_token
from nanochat.engine import Engine, KVCache
from nanochat.gpt import GPT, GPTConfig
from nanochat.tokenizer import SPECIAL_TOKENS, RustBPETokenizer
from nanochat.training.groups import OptimConfig

WORDS = 37  # fewer than the tokenizer's: these models never say a token that ends anything
SMALL = {
    "sequence_len": 16, "vocab_size": WORDS, "n_layer": 2, "n_head": 4, "n_embd": 32, "window_tile": 4,
}  # fmt: skip
GENERATIONS = [GPTConfig, GPTConfig.newest]
PROMPT = [3, 1, 4, 1, 5, 9, 2, 6]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Every byte is a token, and then come the special ones.
TOKENIZER = RustBPETokenizer.train_from_iterator(["abc"], 256 + len(SPECIAL_TOKENS))
SPECIAL = {name.strip("<|>"): TOKENIZER.encode_special(name) for name in SPECIAL_TOKENS}
BOS, END = SPECIAL["bos"], SPECIAL["assistant_end"]


def small(generation, n_kv_head: int = 2, **options) -> GPT:
    return stirred(generation(**{**SMALL, "n_kv_head": n_kv_head, **options}))


def cache_of(model: GPT, batch_size: int, seq_len: int) -> KVCache:
    config = model.config
    sizes = (config.n_kv_head, seq_len, config.n_embd // config.n_head, config.n_layer)
    return KVCache(batch_size, *sizes, dtype=model.dtype)


# The cache


@pytest.mark.parametrize("chunks", [[14], [1] * 14, [9, 1, 1, 1, 1, 1], [5, 5, 4]])
@pytest.mark.parametrize("n_kv_head", [1, 2, 4])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_logits_with_a_cache_are_those_without(generation, n_kv_head: int, chunks: list[int]) -> None:
    model = small(generation, n_kv_head)
    idx = torch.randint(WORDS, (3, 14))
    cache, parts = cache_of(model, 3, 14), []
    with torch.no_grad():
        for part in idx.split(chunks, dim=1):
            parts.append(model(part, kv_cache=cache))
        difference = (torch.cat(parts, dim=1) - model(idx)).abs().max()
    assert difference < 2e-5
    assert cache.get_pos() == 14
    assert cache.cache_seqlens.tolist() == [14, 14, 14]
    assert cache.cache_seqlens.dtype == torch.int32


def test_a_cache_that_is_full_says_so() -> None:
    model = small(GPTConfig.newest)
    cache = cache_of(model, 1, 4)
    with torch.no_grad():
        model(torch.tensor([PROMPT[:4]]), kv_cache=cache)
        with pytest.raises(ValueError, match="the cache holds 4 of at most 4 tokens, so 1 more don't fit: make it"):
            model(torch.tensor([[7]]), kv_cache=cache)
        assert cache.get_pos() == 4
        with pytest.raises(ValueError, match="so 2 more don't fit"):
            cache.advance(2)
        cache.reset()
        assert cache.get_pos() == 0
        again = model(torch.tensor([PROMPT[4:7]]), kv_cache=cache)
        torch.testing.assert_close(again, model(torch.tensor([PROMPT[4:7]])), rtol=0, atol=2e-5)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_prefill_copies_one_row_into_all(generation) -> None:
    model = small(generation)
    single, cache = cache_of(model, 1, len(PROMPT)), cache_of(model, 3, 12)
    with torch.no_grad():
        model(torch.tensor([PROMPT]), kv_cache=single)
        cache.prefill(single)
        assert cache.cache_seqlens.tolist() == [len(PROMPT)] * 3
        for mine, other in ((cache.k_cache, single.k_cache), (cache.v_cache, single.v_cache)):
            assert other.abs().min() > 0
            for row in range(3):
                assert torch.equal(mine[:, row, : len(PROMPT)], other[:, 0])
        assert (cache.prev_embedding is None) == (generation is GPTConfig)
        before = single.k_cache.clone()
        after = model(torch.tensor([[7], [8], [9]]), kv_cache=cache)[:, -1]  # from here on each row is on its own
        whole = model(torch.tensor([[*PROMPT, token] for token in (7, 8, 9)]))[:, -1]
    torch.testing.assert_close(after, whole, rtol=0, atol=2e-5)
    assert torch.equal(single.k_cache, before)
    assert single.get_pos() == len(PROMPT)


def test_caches_that_do_not_fit_each_other() -> None:
    model = small(GPTConfig)
    single = cache_of(model, 1, len(PROMPT))
    with torch.no_grad():
        model(torch.tensor([PROMPT]), kv_cache=single)
    with pytest.raises(ValueError, match="the cache holds 0 of at most 7 tokens, so 8 more"):
        cache_of(model, 2, 7).prefill(single)
    with pytest.raises(ValueError, match=r"\(2, 2, 9, 1, 8\) can't be prefilled from one of \(2, 1, 8, 2, 8\)"):
        cache_of(small(GPTConfig, 1), 2, 9).prefill(single)
    with pytest.raises(ValueError, match="one row is needed"):
        cache_of(model, 3, 9).prefill(cache_of(model, 2, 9))
    used = cache_of(model, 2, 20)
    used.prefill(single)
    with pytest.raises(ValueError, match="holds 8 tokens already"):
        used.prefill(single)


def test_bytes_of_a_cache() -> None:
    assert KVCache(1, 12, 1, 128, 24, dtype=torch.bfloat16).nbytes == 147_456  # nanochat's d24, a token
    cache = KVCache(3, 2, 20, 8, 4)
    assert cache.nbytes == 3 * 2 * 20 * 8 * 4 * 2 * 4
    assert cache.nbytes == cache.k_cache.numel() * 4 + cache.v_cache.numel() * 4


# What is said


@pytest.mark.parametrize("prompt", [[7], PROMPT])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_greedy_equals_the_model_without_a_cache(generation, prompt: list[int]) -> None:
    model = small(generation)
    expected = list(model.generate(prompt, 40, temperature=0))
    assert len(set(expected)) > 3
    sequences, masks = Engine(model, TOKENIZER).generate_batch(prompt, 2, max_tokens=40, temperature=0)
    assert sequences == [prompt + expected] * 2
    assert masks == [[0] * len(prompt) + [1] * 40] * 2


@pytest.mark.parametrize("generation", GENERATIONS)
def test_draws_equal_those_of_the_model_without_a_cache(generation) -> None:
    model = small(generation)
    expected = list(model.generate(PROMPT, 30, temperature=0.8, seed=7))
    columns = Engine(model, TOKENIZER).generate(PROMPT, max_tokens=30, temperature=0.8, seed=7)
    assert [column for column, _ in columns] == [[token] for token in expected]


def test_greedy_tokens_of_the_original() -> None:
    model, (idx, targets) = golden(), probe()
    optimizer = model.setup_optimizer(options=OptimConfig.newest())
    for step in range(6):
        optimizer.zero_grad()
        model(idx, targets).backward()
        if step == 0:
            for name, noise in NOISE.items():
                model.get_parameter(name).grad.copy_(torch.tensor(noise))
        optimizer.step()
    prompt = [60, 1, 2, 3, 4, 5]
    sequences, _ = Engine(model, TOKENIZER).generate_batch(prompt, max_tokens=4, temperature=0)
    assert sequences == [[*prompt, 7, 21, 21, 21]]


class Overheard:
    """A model whose logits are kept."""

    def __init__(self, model: GPT) -> None:
        self.model, self.config, self.cos, self.dtype = model, model.config, model.cos, model.dtype
        self.get_device = model.get_device
        self.shapes: list[tuple[int, ...]] = []
        self.last: list[torch.Tensor] = []

    def __call__(self, idx: torch.Tensor, kv_cache: KVCache) -> torch.Tensor:
        logits = self.model(idx, kv_cache=kv_cache)
        self.shapes.append(tuple(idx.shape))
        self.last.append(logits[:, -1].clone())
        return logits


@pytest.mark.parametrize("n_kv_head", [1, 4])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_rows_do_not_mix(generation, n_kv_head: int) -> None:
    model = small(generation, n_kv_head)
    overheard = Overheard(model)
    sequences, _ = Engine(overheard, TOKENIZER).generate_batch(PROMPT, 4, max_tokens=20)
    assert len({tuple(sequence) for sequence in sequences}) == 4
    assert overheard.shapes == [(1, len(PROMPT))] + [(4, 1)] * 19  # after the last token there is nothing to compute
    cached = torch.stack([overheard.last[0].expand(4, -1), *overheard.last[1:]], dim=1)
    with torch.no_grad():
        whole = model(torch.tensor(sequences))[:, len(PROMPT) - 1 : -1]
    assert (cached - whole).abs().max() < 2e-5


@pytest.mark.parametrize("generation", GENERATIONS)
def test_in_half_precision(generation) -> None:
    exact = small(generation)
    model = GPT(exact.config, dtype=torch.bfloat16)
    model.load_state_dict(exact.state_dict())
    overheard = Overheard(model)
    engine = Engine(overheard, TOKENIZER)
    assert engine.make_cache(2, 5).k_cache.dtype == torch.bfloat16
    sequences, _ = engine.generate_batch(PROMPT, 3, max_tokens=20)
    assert [len(sequence) for sequence in sequences] == [28] * 3
    cached = torch.stack([overheard.last[0].expand(3, -1), *overheard.last[1:]], dim=1)
    with torch.no_grad():
        whole = model(torch.tensor(sequences))[:, len(PROMPT) - 1 : -1]
    assert (cached - whole).abs().max() < 0.02 * whole.abs().max()  # bfloat16 keeps 8 bits: 0.4 % a rounding


def test_first_tokens_differ_and_follow_the_distribution() -> None:
    model, count = small(GPTConfig.newest), 20_000
    [(column, masks)] = Engine(model, TOKENIZER).generate(PROMPT, count, max_tokens=1, seed=1)
    assert masks == [1] * count
    observed = np.bincount(column, minlength=WORDS)
    logits = model(torch.tensor([PROMPT]))[0, -1].detach().double()

    def chi_square(temperature: float) -> float:
        expected = count * F.softmax(logits / temperature, dim=-1).numpy()
        rare = expected < 5
        differences = [*(observed - expected)[~rare], (observed - expected)[rare].sum()]
        return sum(np.square(differences) / [*expected[~rare], max(expected[rare].sum(), 1)])

    limit = WORDS + 4 * math.sqrt(2 * WORDS)  # its mean, and four standard deviations
    assert chi_square(1.0) < limit < min(chi_square(0.9), chi_square(1.1))


@pytest.mark.parametrize("generation", GENERATIONS)
def test_several_prompts_at_once(generation) -> None:
    model = small(generation)
    prompts = [PROMPT, PROMPT[::-1], [7] * len(PROMPT)]
    sequences, masks = Engine(model, TOKENIZER).generate_batch(prompts, max_tokens=20, temperature=0)
    assert sequences == [prompt + list(model.generate(prompt, 20, temperature=0)) for prompt in prompts]
    assert masks == [[0] * len(PROMPT) + [1] * 20] * 3
    assert prompts == [PROMPT, PROMPT[::-1], [7] * len(PROMPT)]


def test_seeds() -> None:
    engine = Engine(small(GPTConfig.newest), TOKENIZER)
    options = {"num_samples": 3, "max_tokens": 15, "temperature": 0.9, "top_k": 20, "top_p": 0.95}
    first = engine.generate_batch(PROMPT, **options, seed=5)
    assert engine.generate_batch(PROMPT, **options, seed=5) == first
    assert engine.generate_batch(PROMPT, **options, seed=6) != first
    assert engine.generate_batch(PROMPT, **options) == engine.generate_batch(PROMPT, **options, seed=42)
    cold = engine.generate_batch(PROMPT, 2, max_tokens=15, temperature=0, seed=1)
    assert cold == engine.generate_batch(PROMPT, 2, max_tokens=15, temperature=0, seed=2)
    assert cold == engine.generate_batch(PROMPT, 2, max_tokens=15, top_k=1, seed=3)
    assert cold == engine.generate_batch(PROMPT, 2, max_tokens=15, top_p=0, seed=4)


def test_how_long_it_writes() -> None:
    model = small(GPTConfig)
    engine, length = Engine(model, TOKENIZER), model.cos.size(1)
    assert length == 160
    prompt = [1] * 150
    for max_tokens, expected in ((0, 0), (1, 1), (9, 9), (10, 10), (None, 10)):
        assert len(list(engine.generate(prompt, max_tokens=max_tokens))) == expected
    assert engine.generate_batch(PROMPT, 2, max_tokens=0) == ([PROMPT] * 2, [[0] * 8] * 2)
    assert list(engine.generate([1] * 160)) == []
    [whole], [mask] = engine.generate_batch(prompt, temperature=0)
    assert (len(whole), sum(mask)) == (160, 10)
    assert whole[150:] == list(model.generate(prompt, 10, temperature=0))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokens": []}, "the prompt is empty: <|bos|> is the least"),
        ({"tokens": [1, 37]}, "the prompt has the token 37, but the model's are 0 to 36"),
        ({"tokens": [[1, 2], [3, 37]]}, "the prompt has the token 37"),
        ({"tokens": [[1, 2], [3]]}, "prompts of 2 and of 1 tokens: rows of one cache"),
        ({"tokens": [[]]}, "the prompt is empty"),
        ({"tokens": [[1], [2]], "num_samples": 3}, "2 prompts and num_samples=3: several have one sample each"),
        ({"tokens": [-1]}, "the prompt has the token -1"),
        ({"tokens": [1] * 161}, "a prompt of 161 tokens, but the model has rotations for 160: shorten it"),
        ({"max_tokens": -1}, "max_tokens=-1: 0 or more"),
        ({"max_tokens": 153}, "a prompt of 8 tokens and max_tokens=153, .* 160 in all: ask for 152 at most"),
        ({"num_samples": 0}, "num_samples=0: 1 or more"),
        ({"temperature": -0.1}, "temperature=-0.1: 0 "),
        ({"temperature": math.nan}, "temperature=nan: 0 "),
        ({"temperature": math.inf}, "temperature=inf: 0 "),
        ({"top_k": -1}, "top_k=-1: draw among 1 or more"),
        ({"top_p": -0.1}, "top_p=-0.1: a probability"),
        ({"top_p": 1.1}, "top_p=1.1: a probability"),
        ({"top_p": math.nan}, "top_p=nan: a probability"),
    ],
)
def test_what_is_out_of_range(options: dict, message: str) -> None:
    engine = Engine(small(GPTConfig), TOKENIZER)
    for generate in (engine.generate, engine.generate_batch):
        with pytest.raises(ValueError, match=message.replace("|", r"\|")):
            generate(**{"tokens": PROMPT, **options})


def test_training_goes_on_between_tokens() -> None:
    model = small(GPTConfig.newest)
    stream = Engine(model, TOKENIZER).generate(PROMPT, 2, max_tokens=3)
    next(stream)
    assert not torch.is_inference_mode_enabled()
    model(torch.tensor([PROMPT]), torch.tensor([PROMPT])).backward()
    assert model.lm_head.weight.grad.abs().max() > 0
    assert len(list(stream)) == 2


def test_the_prompt_is_left_as_it_was() -> None:
    engine, prompt = Engine(small(GPTConfig), TOKENIZER), list(PROMPT)
    stream = engine.generate(prompt, max_tokens=5, temperature=0)
    prompt.clear()
    assert [column[0] for column, _ in stream] == list(engine.model.generate(PROMPT, 5, temperature=0))


# Drawing


def reference(logits: np.ndarray, temperature: float, top_k: int | None, top_p: float | None) -> np.ndarray:
    """The distribution that is drawn from, step by step, in double precision."""
    order = np.argsort(-logits, kind="stable")
    if top_k:
        order = order[:top_k]
    probs = np.exp((logits[order] - logits.max()) / temperature)
    probs /= probs.sum()
    if top_p is not None:
        reached = np.cumsum(probs)
        assume(np.abs(reached[:-1] - top_p).min(initial=1) > 1e-5)  # else rounding decides
        size = 1
        while size < len(probs) and reached[size - 1] < top_p:
            size += 1
        order, probs = order[:size], probs[:size] / probs[:size].sum()
    result = np.zeros(len(logits))
    result[order] = probs
    return result


@settings(max_examples=50)
@given(
    st.lists(st.integers(-400, 400), min_size=1, max_size=12, unique=True),
    st.floats(0.1, 3), st.none() | st.integers(0, 14), st.none() | st.floats(0, 1),
)  # fmt: skip
def test_draws_follow_a_plain_reference(hundredths: list[int], temperature: float, top_k, top_p) -> None:
    logits = np.array(hundredths) / 100
    expected, count = reference(logits, temperature, top_k, top_p), 2000
    rows = torch.tensor(logits, dtype=torch.float32).expand(count, -1)
    drawn = sample_next_token(rows, torch.Generator().manual_seed(0), temperature, top_k, top_p)
    assert drawn.shape == (count, 1)
    shares = np.bincount(drawn[:, 0].numpy(), minlength=len(logits)) / count
    assert set(np.flatnonzero(shares)) <= set(np.flatnonzero(expected))
    deviation = np.sqrt(expected * (1 - expected) / count)
    assert (np.abs(shares - expected) <= 6 * deviation + 2 / count).all()


@settings(max_examples=50)
@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12), st.floats(0, 1))
def test_a_nucleus_is_the_fewest_that_reach_it(weights: list[int], top_p: float) -> None:
    probs = torch.tensor([weights], dtype=torch.float32) / sum(weights)
    kept = keep_nucleus(probs, top_p)[0].double().numpy()
    exact = np.array(weights) / sum(weights)
    inside = kept > 0
    np.testing.assert_array_equal(kept[inside], probs[0].double().numpy()[inside])
    assert inside.any()
    assert exact[inside].sum() >= top_p - 1e-5
    fewer = exact[inside].sum() - exact[inside].min()
    assert inside.sum() == 1 or fewer < top_p + 1e-5
    assert exact[inside].min() >= exact[~inside].max(initial=0)


def test_draws_of_rows_that_differ() -> None:
    logits = torch.full((3, 5), -20.0)
    for row, token in enumerate((4, 0, 2)):
        logits[row, token] = 20.0
    rng = torch.Generator().manual_seed(0)
    for options in ({}, {"temperature": 0}, {"top_k": 3}, {"top_p": 0.9}, {"top_k": 3, "top_p": 0.5}, {"top_k": 0}):
        assert sample_next_token(logits, rng, **options).tolist() == [[4], [0], [2]]


def test_the_likeliest_and_temperatures_near_zero() -> None:
    rng = torch.Generator().manual_seed(0)
    tied = torch.tensor([[0.0, 3.0, 1.0, 3.0], [2.0, 2.0, 2.0, 2.0]])
    assert sample_next_token(tied, rng, temperature=0).tolist() == [[1], [0]]
    logits = torch.tensor([[14.9, -15.0, 15.0]])
    for temperature in (1e-3, 1e-6, 1e-30, 5e-324):
        assert sample_next_token(logits, rng, temperature).tolist() == [[2]]
    assert sample_next_token(logits.expand(400, -1), rng, 1e300).unique().tolist() == [0, 1, 2]


# Tools, with a model that says what it is told to


class Scripted:
    """A model without weights: row b says ``scripts[b][t]`` as its token t, whatever it reads."""

    dtype = torch.float32
    config = SimpleNamespace(vocab_size=TOKENIZER.get_vocab_size(), n_layer=1, n_head=1, n_kv_head=1, n_embd=2)
    cos = torch.zeros(1, 200, 1, 1)

    def __init__(self, *scripts: list[int]) -> None:
        self.scripts = scripts
        self.said = 0
        self.read: list[list[int]] = []  # of each call, the last token of each row

    def get_device(self) -> str:
        return "cpu"

    def __call__(self, idx: torch.Tensor, kv_cache: KVCache) -> torch.Tensor:
        kv_cache.advance(idx.size(1))
        self.read.append(idx[:, -1].tolist())
        says = torch.tensor([script[self.said] for script in self.scripts[: len(idx)]])
        self.said += 1
        return 1000.0 * F.one_hot(says, self.config.vocab_size).float().view(len(idx), 1, -1).expand(*idx.shape, -1)


def say(script: str) -> list[int]:
    """'x{python_start}1+1': the tokens of a script, special ones by their names in braces."""
    tokens = []
    for part in script.replace("}", "{").split("{"):
        tokens += [SPECIAL[part]] if part in SPECIAL else TOKENIZER.encode(part)
    return tokens


# What the script holds where something is forced: if it were heard, the sample would be over.
OVER = "{assistant_end}"


def written(script: str, **options) -> tuple[list[int], list[int]]:
    """What becomes of one sample of a script, prompt left out, and its masks."""
    sequences, masks = Engine(Scripted(say(script)), TOKENIZER).generate_batch([BOS], **options)
    assert (sequences[0][0], masks[0][0]) == (BOS, 0)
    return sequences[0][1:], masks[0][1:]


@pytest.mark.parametrize(
    ("expression", "answer"),
    [("1+1", "2"), ("12/60", "0.2"), ("'strawberry'.count('r')", "3"), ("1,000*-2", "-2000"), ("7-7", "0")],
)
@pytest.mark.parametrize("options", [{}, {"temperature": 0}, {"top_k": 3, "top_p": 0.9}])
def test_the_calculator_answers(expression: str, answer: str, options: dict) -> None:
    asked = say(f"let me see {{python_start}}{expression}{{python_end}}")
    forced = say(f"{{output_start}}{answer}{{output_end}}")
    after = say(" it is")
    model = Scripted([*asked, *[END] * len(forced), *after, END])
    [sequence], [mask] = Engine(model, TOKENIZER).generate_batch([BOS], **options)
    assert sequence == [BOS, *asked, *forced, *after]
    assert mask == [0] + [1] * len(asked) + [0] * len(forced) + [1] * len(after)
    assert [row for [row] in model.read] == sequence  # what is forced is read like the rest


@pytest.mark.parametrize("expression", ["1/0", "", "2**3", "import os", "9**9**9"])
def test_where_there_is_no_answer_nothing_is_forced(expression: str) -> None:
    script = f"hm {{python_start}}{expression}{{python_end}} sorry"
    assert written(script + OVER) == (say(script), [1] * len(say(script)))


def test_bytes_that_are_no_text_have_no_answer() -> None:
    halves = TOKENIZER.encode("é")
    script = [SPECIAL["python_start"], halves[0], SPECIAL["python_end"], *TOKENIZER.encode("?")]
    sequences, masks = Engine(Scripted([*script, END]), TOKENIZER).generate_batch([BOS])
    assert (sequences, masks) == ([[BOS, *script]], [[0] + [1] * len(script)])


@pytest.mark.parametrize(
    "script",
    [
        "so {python_start}1+1",
        "so 1+1{python_end} and",
        "so {output_start}2{output_end} said the model itself",
        "{python_end}{python_end}",
    ],
)
def test_blocks_that_are_never_closed_or_never_opened(script: str) -> None:
    assert written(script + OVER) == (say(script), [1] * len(say(script)))
    whole = say(script)
    assert written(script + OVER, max_tokens=len(whole)) == (whole, [1] * len(whole))


def test_a_block_that_begins_again() -> None:
    tokens, mask = written("{python_start}9{python_start}1+1{python_end}" + 3 * OVER + "{python_end}!" + OVER)
    assert tokens == say("{python_start}9{python_start}1+1{python_end}{output_start}2{output_end}{python_end}!")
    assert mask == [1] * 7 + [0] * 3 + [1] * 2


def test_two_questions_one_after_the_other() -> None:
    first, second = "{python_start}5*5{python_end}", "{python_start}25+1{python_end}"
    tokens, mask = written(first + 4 * OVER + second + 4 * OVER + "." + OVER)
    assert tokens == say(first + "{output_start}25{output_end}" + second + "{output_start}26{output_end}.")
    assert mask == [1] * 5 + [0] * 4 + [1] * 6 + [0] * 4 + [1]


def test_forced_tokens_count() -> None:
    asked, forced = say("{python_start}12/60{python_end}"), say("{output_start}0.2{output_end}")
    script = [*asked, *[END] * len(forced), *say(" ok"), END]
    for max_tokens in range(len(script)):
        [sequence], [mask] = Engine(Scripted(script), TOKENIZER).generate_batch([BOS], max_tokens=max_tokens)
        assert sequence == [BOS, *asked, *forced, *say(" ok")][: max_tokens + 1]
        assert mask == [0, *[1] * len(asked), *[0] * len(forced), 1, 1, 1][: max_tokens + 1]


def test_rows_with_scripts_of_their_own() -> None:
    """They begin alike (the prompt has one row of logits), and part after that."""
    over = END
    asking = [*say("x{python_start}1+1{python_end}"), over, over, over, *say("it is 2"), over]
    talking = [*say("xy"), over]
    talking += say("{python_start}7*7{python_end}{python_end}{python_end}")  # it is done, nobody listens
    later = [*say("xyz{python_start}40/8{python_end}"), *[over] * 5, *say("!"), BOS]
    longest = max(len(asking), len(later))
    scripts = [script + [over] * (longest - len(script)) for script in (asking, talking, later)]

    model = Scripted(*scripts)
    sequences, masks = Engine(model, TOKENIZER).generate_batch([BOS], 3, temperature=0)
    assert sequences == [
        [BOS, *say("x{python_start}1+1{python_end}{output_start}2{output_end}it is 2")],
        [BOS, *say("xy")],
        [BOS, *say("xyz{python_start}40/8{python_end}{output_start}5.0{output_end}!")],
    ]
    assert masks == [
        [0] + [1] * 6 + [0] * 3 + [1] * 7,
        [0, 1, 1],
        [0] + [1] * 9 + [0] * 5 + [1],
    ]

    model = Scripted(*scripts)
    columns = list(Engine(model, TOKENIZER).generate([BOS], 3, temperature=0))
    assert len(columns) == len(asking)  # the last to be done
    assert [column[1] for column, _ in columns] == scripts[1][: len(asking)]  # nothing was forced upon it
    assert {masks[1] for _, masks in columns} == {1}
    assert model.read == [[BOS]] + [column for column, _ in columns[:-1]]  # and nothing is read after the last


@pytest.mark.parametrize("last", ["assistant_end", "bos"])
def test_what_ends_a_sample(last: str) -> None:
    model = Scripted([*say("hello"), SPECIAL[last], *say("more")])
    columns = list(Engine(model, TOKENIZER).generate([BOS], temperature=0))
    assert [column for column, _ in columns] == [[token] for token in [*say("hello"), SPECIAL[last]]]
    assert len(model.read) == 6
    assert written(f"hello{{{last}}}more") == (say("hello"), [1] * 5)
    assert written(f"{{{last}}}") == ([], [])
    for name in ("user_start", "user_end", "assistant_start", "output_end"):
        assert written(f"he{{{name}}}llo{OVER}")[0] == say(f"he{{{name}}}llo")


def test_a_conversation_as_it_was_learned() -> None:
    """What the engine writes is what a rendered conversation holds, and so are the masks."""
    parts = [("text", "sure"), ("python", "1+1"), ("python_output", "2"), ("text", "it is 2")]
    content = [{"type": kind, "text": text} for kind, text in parts]
    conversation = {"messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": content}]}
    ids, mask = TOKENIZER.render_conversation(conversation)
    prompt = TOKENIZER.render_for_completion(conversation)
    script = [token if learned else END for token, learned in zip(ids, mask, strict=True)][len(prompt) :]
    sequences, masks = Engine(Scripted(script), TOKENIZER).generate_batch(prompt)
    assert sequences == [ids[:-1]]
    assert masks == [mask[:-1]]
