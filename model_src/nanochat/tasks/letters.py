"""How many times a letter occurs in a word: with the calculator, or by spelling and counting along.

A model reads tokens, not letters, so this asks for what it can't see. The words are the caller's, or made up: 5,753,580
of two to four syllables. All problems of one word are in one split.
"""

from collections.abc import Sequence

from nanochat.tasks.answers import marked_number
from nanochat.tasks.generated import Dice, GeneratedTask, Problem

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
CONSONANTS, VOWELS = "bdfgklmnprstvz", "aeiou"
ABSENT = 5  # one time out of so many, the letter is not in the word
QUESTIONS = (
    "Count '{letter}' in '{word}'.", "How many '{letter}' are in '{word}'?", "How often is '{letter}' in '{word}'?",
    "In '{word}', how many are '{letter}'?",
)  # fmt: skip


def made_up(dice: Dice, syllables: int) -> str:
    """A word that can be said, such as "bakolo": so many times a consonant and one of two vowels, which come again."""
    vowels = dice.some_of(VOWELS, 2)
    return "".join(dice.one_of(CONSONANTS) + dice.one_of(vowels) for _ in range(syllables))


class Letters(GeneratedTask):
    """How often a letter is in a word; ``words`` are of the letters a to z, None: made up."""

    name = "letters"

    def __init__(
        self, split: str = "train", size: int = 1000, seed: int = 0, words: Sequence[str] | None = None,
        tool: bool = True, start: int = 0, stop: int | None = None, step: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(split, size, seed, start, stop, step)
        self.words, self.tool = None if words is None else tuple(words), tool
        if words is not None and not words:
            raise ValueError("Letters: words is empty: give at least some, or None for made-up ones")
        for word in self.words or ():
            if not word or not set(word) <= set(ALPHABET):
                raise ValueError(f"Letters: the word {word!r} has more in it than the letters a to z, or nothing")

    def draw(self, dice: Dice) -> Problem:
        word = made_up(dice, 2 + dice.below(3)) if self.words is None else dice.one_of(self.words)
        letter = asked(word, dice)
        count = word.count(letter)
        working = f"<<'{word}'.count('{letter}')={count}>>" if self.tool else spelled(word, letter)
        question = dice.one_of(QUESTIONS).format(letter=letter, word=word)
        return Problem(f"letters {word}", question, f"{working}\n#### {count}")

    def scored(self, text: str) -> str | None:
        return marked_number(text)


def asked(word: str, dice: Dice) -> str:
    """A letter to ask for. First the count is drawn, as most letters occur once, and one could guess."""
    absent = [letter for letter in ALPHABET if letter not in word]
    if absent and dice.below(ABSENT) == 0:
        return dice.one_of(absent)
    count = dice.one_of(sorted({word.count(letter) for letter in word}))
    return dice.one_of([letter for letter in ALPHABET if word.count(letter) == count])


def spelled(word: str, letter: str) -> str:
    """The word letter by letter, the one that is counted with its count so far: 'a' in 'banana' is b a1 n a2 n a3."""
    shown, count = [], 0
    for each in word:
        count += each == letter
        shown.append(f"{each}{count}" if each == letter else each)
    return " ".join(shown)
