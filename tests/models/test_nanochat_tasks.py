"""Tasks: what they ask, what they take for right, and that no problem is ever in both splits."""

import json
import re
import statistics
from collections import Counter
from fractions import Fraction
from itertools import pairwise
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanochat.chat.conversation import checked
from nanochat.data import corpus
from nanochat.tasks import arithmetic, choice, letters, sorting
from nanochat.tasks.answers import marked_number, parts_of, text_of
from nanochat.tasks.arithmetic import Arithmetic
from nanochat.tasks.choice import Choice, render_mc
from nanochat.tasks.generated import Dice, GeneratedTask, split_of
from nanochat.tasks.jsonl import CustomJSON
from nanochat.tasks.letters import Letters
from nanochat.tasks.sorting import Sorting
from nanochat.tasks.task import Task, TaskMixture, TaskSequence
from nanochat.tokenizer import RustBPETokenizer

# Every setting that changes what is asked or answered.
SETTINGS = {
    "one step": (Arithmetic, {}),
    "small numbers": (Arithmetic, {"largest": 20, "operations": "+-"}),
    "without tool": (Arithmetic, {"tool": False}),
    "two steps": (Arithmetic, {"steps": 2}),
    "two steps without tool": (Arithmetic, {"steps": 2, "tool": False}),
    "letters": (Letters, {}),
    "spelling": (Letters, {"tool": False}),
    "words": (Letters, {"words": ["value", "object", "yield", "class", "default", "iterator"] * 9 + ["banana"]}),
    "sorting": (Sorting, {}),
    "sorting numbers": (Sorting, {"kinds": ["numbers"], "most": 4, "largest": 20}),
    "choice": (Choice, {}),
    "three choices": (Choice, {"choices": 3, "kinds": ["odd", "largest"]}),
}
HOSTILE = [
    "", " ", "####", "#### ", "#### .", "#### -", "#### ,", "#### 1,000", "####19", "#### ٣", "#### e9",
    "<<1=1>>", "<<", "#### #### ####", "A B", "a", "\x00", "\ud800", "<|assistant_end|>", "#" * 100_000,
    "#### " + "9" * 100_000, "<<=" * 50_000, "=" * 100_000,
]  # fmt: skip
PINNED = {
    "one step": [
        ("Eve has 73 keys and loses 24. How many does Eve have?", "73 - 24 = <<73-24=49>>49\n#### 49"),
        ("Dan has 74 mats and buys 16 more. How many does Dan have?", "74 + 16 = <<74+16=90>>90\n#### 90"),
    ],
    "two steps": [
        (
            "Tom gets 73 blocks. Ben has 24 less. Sue has 41 more. How many blocks does Sue have?",
            "73 - 24 = <<73-24=49>>49\n49 + 41 = <<49+41=90>>90\n#### 90",
        ),
        (
            "Fred has 74 nets and buys 16 more, then gets 6 more. How many nets does Fred have?",
            "74 + 16 = <<74+16=90>>90\n90 + 6 = <<90+6=96>>96\n#### 96",
        ),
    ],
    "letters": [
        ("In 'pibeme', how many are 'e'?", "<<'pibeme'.count('e')=2>>\n#### 2"),
        ("In 'dali', how many are 'd'?", "<<'dali'.count('d')=1>>\n#### 1"),
    ],
    "spelling": [
        ("In 'pibeme', how many are 'e'?", "p i b e1 m e2\n#### 2"),
        ("In 'dali', how many are 'd'?", "d1 a l i\n#### 1"),
    ],
    "sorting": [
        ("Sort the numbers 35 57 55 76", "35 55 57 76"),
        ("Order from a to z: w s b", "b s w"),
    ],
    "choice": [
        ("Choose: Which number is the smallest?\n- 97=A\n- 4=B\n- 95=C\n- 72=D\n\nGive the letter only.", "B"),
        ("Choose: Which occurs only one time?\n- lu=A\n- lu=B\n- lu=C\n- ba=D\n\nGive the letter only.", "D"),
    ],
}
PINNED_DRAWS, PINNED_PAIR, PINNED_ORDER = [958, 314, 380, 733, 332, 126], [904743256455, 317559540946], "acab"
every_setting = pytest.mark.parametrize("setting", SETTINGS)


def made(setting: str, *args, **options) -> GeneratedTask:
    task, fixed = SETTINGS[setting]
    return task(*args, **fixed, **options)


def asked(conversation) -> str:
    return conversation["messages"][0]["content"]


def answered(conversation) -> str:
    return text_of(conversation["messages"][-1]["content"])


def value(expression: str) -> str:
    """What a calculator says to the calls that tasks make; exact, and not the one that the engine uses."""
    if counted := re.fullmatch(r"'([a-z]+)'\.count\('([a-z])'\)", expression):
        return str(len(counted[1].split(counted[2])) - 1)
    first, operation, second = re.fullmatch(r"(\d+)([-+*])(\d+)", expression).groups()
    a, b = Fraction(first), Fraction(second)
    return str({"+": a + b, "-": a - b, "*": a * b}[operation])


# Tasks in general


class Numbers(Task):
    """The numbers up to a size, as they are."""

    def __init__(self, size: int, *slicing, first: int = 0, **options) -> None:
        super().__init__(*slicing, **options)
        self.size, self.first = size, first

    def num_examples(self) -> int:
        return self.size

    def get_example(self, index: int):
        return self.first + index


@given(
    size=st.integers(0, 30), start=st.integers(0, 40), more=st.none() | st.integers(0, 40), step=st.integers(1, 9)
)
def test_a_slice_is_that_of_a_list(size: int, start: int, more: int | None, step: int) -> None:
    stop = None if more is None else start + more
    task, expected = Numbers(size, start, stop, step), list(range(size))[start:stop:step]
    assert list(task) == expected
    assert len(task) == len(expected)
    assert [task[i] for i in range(-len(task), 0)] == expected
    for beyond in (len(expected), -len(expected) - 1):
        with pytest.raises(IndexError):
            task[beyond]


@pytest.mark.parametrize("wrong", [{"start": -1}, {"start": 3, "stop": 2}, {"step": 0}, {"step": -1}])
def test_slices_that_are_none(wrong: dict) -> None:
    with pytest.raises(ValueError, match=r"Numbers: start=.*start must be 0 or more"):
        Numbers(5, **wrong)
    with pytest.raises(TypeError):
        Numbers(5)[1:2]  # type: ignore[misc]


def test_a_mixture_is_shuffled_by_seed_42() -> None:
    tasks = [Numbers(4), Numbers(9, 1, 8, 3, first=100)]
    mixture = TaskMixture(tasks)
    assert list(mixture) == [1, 3, 101, 2, 107, 0, 104]
    assert list(TaskMixture(tasks, 1, 6, 2)) == [3, 2, 0]
    assert sorted(TaskMixture([tasks[0], tasks[0]])) == [0, 0, 1, 1, 2, 2, 3, 3]
    assert list(TaskMixture([])) == []
    with pytest.raises(NotImplementedError, match="TaskMixture can't score"):
        mixture.reward({}, "")


@given(sizes=st.lists(st.integers(0, 5), max_size=5))
def test_a_sequence_has_one_task_after_the_other(sizes: list[int]) -> None:
    tasks = [Numbers(size, first=10 * i) for i, size in enumerate(sizes)]
    everything = [number for task in tasks for number in task]
    assert list(TaskSequence(tasks)) == everything
    assert list(TaskSequence(tasks, start=1, step=2)) == everything[1::2]


# What all generated tasks have in common


@every_setting
def test_conversations_are_whole_and_answered_rightly(setting: str) -> None:
    for split in ("train", "test"):
        task = made(setting, split, 60, seed=5)
        for conversation in task:
            question, answer = checked(conversation)
            assert task.evaluate(conversation, answered(conversation))
            assert task.reward(conversation, answered(conversation)) == 1.0
            assert isinstance(question["content"], str)
            calls = answer["content"] if isinstance(answer["content"], list) else []
            for call, output in pairwise(calls):
                assert (call["type"] == "python") == (output["type"] == "python_output")
                if call["type"] == "python":
                    assert output["text"] == value(call["text"])


@every_setting
@settings(max_examples=15)
@given(seed=st.integers(0, 2**64), index=st.integers(0, 2**64), size=st.integers(1, 9))
def test_an_example_depends_on_seed_split_and_number_only(setting: str, seed: int, index: int, size: int) -> None:
    for split in ("train", "test"):
        task = made(setting, split, index + size, seed)
        assert task.get_example(index) == made(setting, split, 2**70, seed, start=index)[0]
        assert split_of(task.problem(index).identity) == split


@every_setting
def test_seeds_and_numbers_differ(setting: str) -> None:
    texts = [{asked(conversation) for conversation in made(setting, "train", 40, seed)} for seed in range(3)]
    assert all(len(each) > 34 for each in texts) or setting == "words"
    assert texts[0] != texts[1] != texts[2]


@pytest.mark.parametrize("family", [Arithmetic, Letters, Sorting, Choice])
def test_no_problem_is_in_both_splits(family: type[GeneratedTask]) -> None:
    """Read off the text: numbers and operations, the word, the items, the choices; whatever the settings and seeds."""
    found: dict[str, set] = {"train": set(), "test": set()}
    for setting, (task, _) in SETTINGS.items():
        if task is family:
            for split, essences in found.items():
                for seed in range(2):
                    essences |= {essence(conversation) for conversation in made(setting, split, 300, seed)}
    assert min(map(len, found.values())) > 200
    assert not found["train"] & found["test"]


def essence(conversation) -> tuple:
    question, answer = asked(conversation), answered(conversation)
    if "letters" in conversation:
        picked = dict(re.findall(r"- (\w+)=([A-Z])", question))
        right = next(option for option, letter in re.findall(r"- (\w+)=([A-Z])", question) if letter == answer)
        kind = next(kind for kind, texts in choice.QUESTIONS.items() if any(asks(text, question) for text in texts))
        return kind, right, frozenset(picked)
    if word := re.search(r"in '(\w+)'|In '(\w+)'", question):
        return ("letters", word[1] or word[2])
    if "####" in answer:
        steps = re.findall(r"^(\d+) ([-+*]) (\d+) =", answer, re.MULTILINE)
        return (steps[0][0], *((operation, number) for _, operation, number in steps))
    return (answer,)


def asks(template: str, question: str) -> bool:
    """Whether a question was made of this template."""
    return template.partition("{")[0] in question


def test_one_problem_in_eight_is_for_testing() -> None:
    counts = Counter(split_of(f"arithmetic {i}+2") for i in range(20_000))
    assert counts["test"] / 20_000 == pytest.approx(1 / 8, abs=0.01)
    assert split_of("arithmetic 12+7") == "train"  # for ever: models have been trained on it
    assert split_of("arithmetic 4+10") == "test"


@pytest.mark.parametrize("setting", ["one step", "spelling", "sorting", "choice"])
@settings(max_examples=40)
@given(completion=st.text() | st.from_regex(r"#### ?-?[0-9., ]*"), index=st.integers(0, 5))
def test_no_completion_raises(setting: str, completion: str, index: int) -> None:
    task = made(setting, "test", 6)
    conversation = task[index]
    right = task.evaluate(conversation, completion)
    assert right == (task.scored(completion) == task.scored(answered(conversation)))
    assert task.reward(conversation, completion) == float(right)


@every_setting
def test_hostile_completions_are_wrong(setting: str) -> None:
    task = made(setting, "test", 6)
    for conversation in task:
        assert not any(task.evaluate(conversation, completion) for completion in HOSTILE)
        assert not any(task.evaluate(conversation, answered(other)) for other in task if differ(conversation, other))


def differ(one, other) -> bool:
    """Whether the two conversations end otherwise."""
    return answered(one).split("#### ")[-1] != answered(other).split("#### ")[-1]


@pytest.mark.parametrize(
    ("family", "wrong", "message"),
    [
        (Sorting, {"split": "val"}, r"Sorting: split='val': there are train and test"),
        (Choice, {"size": -1}, r"Choice: size=-1"),
        (Arithmetic, {"steps": 3}, r"Arithmetic: largest=99, steps=3"),
        (Arithmetic, {"largest": 3}, r"largest must be 4 or more"),
        (Arithmetic, {"operations": "+/"}, r"operations='\+/'.*some of \+-\*"),
        (Letters, {"words": []}, r"Letters: words is empty"),
        (Letters, {"words": ["fine", "can't"]}, r"Letters: the word \"can't\""),
        (Sorting, {"most": 2}, r"Sorting: most=2, largest=99"),
        (Sorting, {"kinds": ["words"]}, r"Sorting: kinds=\['words'\]: some of letters, numbers"),
        (Choice, {"choices": 9}, r"Choice: choices=9.*3 to 8"),
        (Choice, {"largest": 3}, r"largest=3.*largest not below it"),
        (Choice, {"kinds": []}, r"Choice: kinds=\[\]"),
    ],
)
def test_settings_that_ask_for_the_impossible(family: type, wrong: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        family(**wrong)


def test_too_few_problems_for_a_split() -> None:
    with pytest.raises(ValueError, match=r"Arithmetic: no problem for split='test' .*ask for larger numbers"):
        Arithmetic("test", largest=4, operations="+")[0]
    with pytest.raises(ValueError, match=r"Letters: no problem for split='train'"):
        Letters("train", words=[next(word for word in corpus_words() if split_of(f"letters {word}") == "test")])[0]


def corpus_words() -> list[str]:
    return sorted(set(re.findall(r"\b[a-z]{4,}\b", corpus.python_docs()[1][0])))


# Dice


def test_dice_are_pinned() -> None:
    """Every Python and machine must draw these, or the tasks would change."""
    dice = Dice("pinned")
    assert [dice.below(1000) for _ in range(6)] == PINNED_DRAWS
    assert dice.some_of(range(10**12), 2) == PINNED_PAIR
    assert "".join(dice.shuffled("aabc")) == PINNED_ORDER


@given(key=st.text(st.characters(codec="utf-8")), end=st.integers(1, 2**53))
def test_dice_stay_in_bounds(key: str, end: int) -> None:
    dice = Dice(key)
    assert 0 <= dice.below(end) < end
    assert sorted(dice.some_of("abcd", 4)) == sorted(dice.shuffled("dbca")) == list("abcd")


# Answers


@given(st.text() | st.text("<>=0123 \n#") | st.from_regex(r"(<<[^<>]*=[0-9]*>>|[a-z=<>]*){0,4}", fullmatch=True))
def test_parts_are_the_whole_text(text: str) -> None:
    parts = parts_of(text)
    assert text_of(parts) == text == text_of(text)
    assert parts_of(text_of(parts)) == parts
    assert all(part["text"] for part in parts if part["type"] == "text")


def test_calls_are_split_at_the_last_equals_sign() -> None:
    assert parts_of("so <<a=b=3>>3<<1+1=2>>") == [
        {"type": "text", "text": "so "}, {"type": "python", "text": "a=b"}, {"type": "python_output", "text": "3"},
        {"type": "text", "text": "3"}, {"type": "python", "text": "1+1"}, {"type": "python_output", "text": "2"},
    ]  # fmt: skip
    assert parts_of("<<none>>") == [{"type": "text", "text": "<<none>>"}]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("#### 19", "19"), ("12 + 7 = 19\n#### 19\nand more", "19"), ("#### 1,000", "1000"), ("#### -3", "-3"),
        ("#### 12 13", "12"), ("#### x #### 7", "7"), ("#### 3.5", "3.5"), ("19", None), ("####19", None), ("", None),
        ("#### 19.", "19."),
    ],
)  # fmt: skip
def test_the_number_after_the_mark(text: str, number: str | None) -> None:
    assert marked_number(text) == number


def test_commas_do_not_count() -> None:
    task = Arithmetic(largest=100_000, operations="*", size=50)
    conversation = next(each for each in task if int(marked_number(answered(each)) or 0) > 1000)
    number = int(marked_number(answered(conversation)) or 0)
    assert task.evaluate(conversation, f"#### {number:,}")
    assert not task.evaluate(conversation, f"#### {number + 1:,}")
    assert not task.evaluate(conversation, f"{number}")


# Each task


def arithmetic_count(steps: int, number: int | None = None, largest: int = 99) -> int:
    """Chains of operations that stay between 2 and the largest number; by trying all."""
    if number is None:
        return sum(arithmetic_count(steps, first, largest) for first in range(2, largest + 1))
    if not steps:
        return 1
    results = [number + b for b in range(2, largest + 1)] + [number - b for b in range(2, largest + 1)]
    results += [number * b for b in range(2, largest + 1)]
    return sum(arithmetic_count(steps - 1, result, largest) for result in results if 2 <= result <= largest)


def test_numbers_of_problems_are_as_the_modules_say() -> None:
    one_of_two_vowels = {n: 5 + comb(5, 2) * (2**n - 2) for n in (2, 3, 4)}
    words = sum(14**n * count for n, count in one_of_two_vowels.items())
    first_letter = 14 * one_of_two_vowels[2]
    assert first_letter == len({letters.made_up(Dice(str(i)), 2)[1:] for i in range(9000)})
    all_words = 14 * first_letter
    stated = {
        arithmetic: [arithmetic_count(1)],
        letters: [words],
        sorting: [sum(comb(items, count) for count in (3, 4, 5)) for items in (26, 100)],
        choice: [comb(100, 4), 70 * 69, all_words * comb(all_words - 1, 3), all_words * comb(13 * first_letter, 3)],
    }
    for module, numbers in stated.items():
        assert all(f"{number:,}" in (module.__doc__ or "") for number in numbers), (module.__name__, numbers)
    # Two steps: each result of the first is a beginning of the second.
    after_one = {first: arithmetic_count(1, first) for first in range(2, 100)}
    results = Counter(
        result for first in after_one for b in range(2, 100) for result in (first + b, first - b, first * b)
    )
    assert sum(results[first] * count for first, count in after_one.items()) == 937_636
    assert "937,636" in (arithmetic.__doc__ or "")


def story(question: str) -> tuple[int, str]:
    """How many who has, by reading the story again."""
    who, number = "", 0
    for sentence in question.split(". ")[:-1]:
        name, _, said = sentence.partition(" ")
        for clause in re.split(r" and |, then ", said):
            change = int(re.search(r"\d+", clause)[0])
            if not who:
                number = change
            elif "more" in clause:
                number += change
            elif "times" in clause:
                number *= change
            else:
                number -= change
            who = name
    return number, who


@pytest.mark.parametrize("setting", ["one step", "small numbers", "two steps", "two steps without tool"])
def test_stories_say_what_the_answer_works_out(setting: str) -> None:
    for conversation in made(setting, size=300):
        number, who = story(asked(conversation))
        assert marked_number(answered(conversation)) == str(number)
        assert who in asked(conversation).rpartition(". ")[2]
        assert "{" not in asked(conversation)


@pytest.mark.parametrize(("largest", "steps"), [(4, 1), (20, 1), (99, 2)])
def test_no_number_is_larger(largest: int, steps: int) -> None:
    seen: set[int] = set()
    for conversation in Arithmetic(largest=largest, steps=steps, size=200):
        seen |= {int(number) for number in re.findall(r"\d+", asked(conversation) + answered(conversation))}
    assert min(seen) == 2
    assert max(seen) <= largest
    assert max(seen) > 0.9 * largest


@pytest.mark.parametrize("family", [Arithmetic, Letters])
def test_the_questions_are_the_same_without_the_tool(family: type) -> None:
    tasks = [family(size=50, tool=tool) for tool in (True, False)]
    for with_tool, without in zip(*tasks, strict=True):
        assert asked(with_tool) == asked(without)
        assert isinstance(without["messages"][1]["content"], str)
        assert tasks[0].evaluate(with_tool, answered(without))


def test_letters_are_counted_and_spelled() -> None:
    counts: Counter[int] = Counter()
    for conversation in Letters(tool=False, size=600):
        word, letter = sorted(re.findall(r"'(\w+)'", asked(conversation)), key=len)[::-1]
        spelled, count = answered(conversation).split("\n#### ")
        assert re.sub(r"[ \d]", "", spelled) == word
        assert re.findall(r"\d", spelled) == [str(i + 1) for i in range(word.count(letter))]
        assert word.count(letter) == int(count)
        counts[int(count)] += 1
    assert max(counts.values()) < 300  # who always says the same is wrong more often than not
    assert {0, 1, 2, 3} <= set(counts)
    whole = Letters(words=["abcdefghijklmnopqrstuvwxyzaabb"], size=20, split="train")
    assert {marked_number(answered(conversation)) for conversation in whole} == {"1", "3"}


def test_sorted_items_are_the_question_s() -> None:
    sizes = set()
    for conversation in Sorting(size=300):
        answer = answered(conversation).split()
        items = asked(conversation).split()[-len(answer) :]
        key = int if answer[0].isdigit() else str
        assert sorted(items, key=key) == answer
        assert len(set(items)) == len(items)
        sizes.add(len(items))
    assert sizes == {3, 4, 5}
    task = Sorting(size=1)
    assert task.evaluate(task[0], f" {answered(task[0])}\n")
    assert not task.evaluate(task[0], answered(task[0]).replace(" ", "  "))


def test_choices_are_right_and_alone_in_it() -> None:
    places: Counter[str] = Counter()
    for conversation in Choice(size=800):
        question, *lines = asked(conversation).splitlines()
        options = dict(line[2:].split("=")[::-1] for line in lines if line.startswith("- "))
        assert list(options) == conversation["letters"] == ["A", "B", "C", "D"]
        letter = answered(conversation)
        right, others = options[letter], [text for each, text in options.items() if each != letter]
        if right.isdigit():
            ordered = sorted(map(int, options.values()))
            assert int(right) == ordered[-1 if re.search("large|more", question) else 0]
        elif named := re.search("'(..+)'", question):
            assert named[1] == right
        elif first := re.search("'(.)'", question):
            assert [text for text in options.values() if text[0] == first[1]] == [right]
        else:
            assert set(others) == {others[0]} != {right}
        assert len({right, *others}) == (4 if right.isdigit() or "'" in question else 2)
        places[letter] += 1
    assert min(places.values()) > 160
    task = Choice()
    assert (task.eval_type, task.letters) == ("categorical", ("A", "B", "C", "D"))
    assert Sorting().eval_type == "generative"
    assert task.evaluate(task[0], f"{answered(task[0])}\n")


def test_multiple_choice_is_rendered() -> None:
    text = render_mc("Which is it?", "AB", ["this", "that"])
    assert text == "Choose: Which is it?\n- this=A\n- that=B\n\nGive the letter only."
    with pytest.raises(ValueError, match="3 letters for 2 choices"):
        render_mc("Which is it?", "ABC", ["this", "that"])


@pytest.mark.parametrize("setting", ["one step", "two steps", "letters", "spelling", "sorting", "choice"])
def test_first_examples_are_pinned(setting: str) -> None:
    """A model's training set must not change under it; a new phrasing changes these, and is a new task."""
    first = [(asked(conversation), answered(conversation)) for conversation in made(setting, size=2)]
    assert first == PINNED[setting]


# Lengths


@pytest.fixture(scope="module")
def tok() -> RustBPETokenizer:
    """As the book's base model has it: 1,024 tokens out of Python's documentation."""
    return RustBPETokenizer.train_from_iterator(corpus.python_docs()[1], 1024)


@every_setting
def test_conversations_are_short(tok: RustBPETokenizer, setting: str) -> None:
    task = made(setting, size=400)
    lengths = [len(tok.render_conversation(conversation)[0]) for conversation in task]
    assert max(lengths) <= 110
    assert statistics.median(lengths) <= (95 if "two steps" in setting else 70)


@every_setting
def test_what_a_model_writes_is_scored(tok: RustBPETokenizer, setting: str) -> None:
    """The answer's tokens as text, tool calls and all; that is what evaluation has."""
    task = made(setting, size=50)
    for conversation in task:
        ids, _ = tok.render_conversation(conversation)
        written = ids[len(tok.render_for_completion(conversation)) : -1]
        assert task.evaluate(conversation, tok.decode(written))


def test_a_letter_is_one_token_and_the_one_that_was_read(tok: RustBPETokenizer) -> None:
    for letter in Choice(choices=8).letters:
        (id,) = tok.encode(letter)
        assert tok.encode(render_mc("?", [letter], ["this"]))[-tail(tok) - 1] == id


def tail(tok: RustBPETokenizer) -> int:
    """Tokens after the last choice's letter."""
    return len(tok.encode("\n\nGive the letter only."))


# The reader's own


def lines(*conversations) -> str:
    return "".join(json.dumps(messages) + "\n" for messages in conversations)


HI = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
CALL = [{"type": "python", "text": "1+1"}, {"type": "python_output", "text": "2"}]
SUM = [{"role": "system", "content": "Be brief."}, HI[0], {"role": "assistant", "content": CALL}]


def test_conversations_of_the_readers_own(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(("\ufeff" + lines(HI) + "\r\n  \n" + lines(SUM, HI)).replace("\n", "\r\n").encode())
    task = CustomJSON(path)
    assert list(task) == [{"messages": HI}, {"messages": SUM}, {"messages": HI}]
    assert list(CustomJSON(str(path), 1, 2)) == [{"messages": SUM}]
    with pytest.raises(NotImplementedError, match="CustomJSON can't score"):
        task.evaluate(task[0], "hello")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "Expecting property name"),
        (b'{"messages": []}', "no list of messages"),
        (b"[1]", "no list of messages"),
        (b'[{"role": "system", "content": "x"}, 5]', "no list of messages"),
        (b"[]", "at least one"),
        (lines(HI[:1]).encode(), "the last message is the user's"),
        (lines(HI[::-1]).encode(), "message 0 has the role 'assistant'"),
        (lines([HI[0], {"role": "assistant", "content": [{"type": "image", "text": ""}]}]).encode(), "is no part"),
        (lines([HI[0], {"role": "assistant"}]).encode(), "a string is needed"),
        (b'["\xff"]', "can't decode byte 0xff"),
        (b"[" * 100_000, "recursion"),
    ],
)
def test_lines_that_are_no_conversation(tmp_path: Path, line: bytes, message: str) -> None:
    path = tmp_path / "own.jsonl"
    path.write_bytes(lines(HI).encode() + b"\n" + line)
    with pytest.raises(ValueError, match=rf"own\.jsonl, line 3: .*{message}"):
        CustomJSON(path)


def test_files_without_conversations(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n\n")
    with pytest.raises(ValueError, match=r"empty has no conversation: one JSON list"):
        CustomJSON(tmp_path / "empty")
    with pytest.raises(FileNotFoundError):
        CustomJSON(tmp_path / "none")


def test_a_mixture_of_everything(tmp_path: Path) -> None:
    (tmp_path / "own.jsonl").write_text(lines(HI))
    tasks = [made(setting, size=3) for setting in SETTINGS]
    mixture = TaskMixture([*tasks, CustomJSON(tmp_path / "own.jsonl")])
    assert len(mixture) == 3 * len(SETTINGS) + 1
    assert all(checked(conversation) for conversation in mixture)
    assert {"messages": HI} in list(mixture)
