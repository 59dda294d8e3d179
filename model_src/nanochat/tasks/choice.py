"""Multiple choice: questions that need no knowledge, only reading.

With four choices and numbers up to 99 there are 3,921,225 sets for the largest number and as many for the smallest,
4,830 pairs of syllables for the odd one out, 76,876,325,890,000 sets of made-up words for their first letters, and
95,962,411,680,100 for a word that is named and only has to be found.
"""

from collections.abc import Sequence

from nanochat.tasks.generated import Dice, GeneratedTask, Problem
from nanochat.tasks.letters import ALPHABET, CONSONANTS, VOWELS, made_up
from nanochat.tasks.task import Conversation

QUESTIONS = {
    "named": ("Which is '{right}'?", "Which word is '{right}'?"),
    "largest": ("Which number is the largest?", "Which is more than the others?", "Which is the largest value?"),
    "smallest": ("Which number is the smallest?", "Which is less than the others?", "Which is the smallest value?"),
    "odd": ("Which is not like the others?", "Which occurs only one time?", "Which is different?"),
    "begins": ("Which word begins with '{first}'?", "Which has '{first}' as its first letter?"),
}
SYLLABLES = tuple(consonant + vowel for consonant in CONSONANTS for vowel in VOWELS)
FEWEST, MOST = 3, 8


def render_mc(question: str, letters: Sequence[str], choices: Sequence[str]) -> str:
    """The question with a choice a line, each with its letter.

    No blank stands before the letter: the model is to answer with the very token that it reads here.
    """
    if len(letters) != len(choices):
        raise ValueError(f"render_mc: {len(letters)} letters for {len(choices)} choices: each choice needs one")
    lines = "".join(f"- {choice}={letter}\n" for letter, choice in zip(letters, choices, strict=True))
    return f"Choose: {question}\n{lines}\nGive the letter only."


class Choice(GeneratedTask):
    """A question of one of the ``kinds``, with so many ``choices``; the answer is a letter, each as often as another.

    The same choices, in whatever order, are in one split.
    """

    name = "choice"
    eval_type = "categorical"

    def __init__(
        self, split: str = "train", size: int = 1000, seed: int = 0, choices: int = 4, largest: int = 99,
        kinds: Sequence[str] = tuple(QUESTIONS), start: int = 0, stop: int | None = None, step: int = 1,
    ) -> None:  # fmt: skip
        super().__init__(split, size, seed, start, stop, step)
        if not kinds or not set(kinds) <= set(QUESTIONS):
            raise ValueError(f"Choice: kinds={kinds!r}: some of {', '.join(QUESTIONS)} are needed")
        if not FEWEST <= choices <= MOST or largest < choices:
            raise ValueError(
                f"Choice: choices={choices}, largest={largest}: choices must be {FEWEST} to {MOST}, and largest not "
                "below it"
            )
        self.letters = tuple(ALPHABET[:choices].upper())
        self.largest, self.kinds = largest, tuple(kinds)

    def draw(self, dice: Dice) -> Problem | None:
        kind, count = dice.one_of(self.kinds), len(self.letters)
        if kind in ("largest", "smallest"):
            numbers = sorted(dice.some_of(range(self.largest + 1), count), reverse=kind == "largest")
            right, *wrong = [str(number) for number in numbers]
        elif kind == "odd":
            right, other = dice.some_of(SYLLABLES, 2)
            wrong = [other] * (count - 1)
        else:
            right, *wrong = [made_up(dice, 2) for _ in self.letters]
            if len({right, *wrong}) < count or (kind == "begins" and right[0] in {word[0] for word in wrong}):
                return None
        identity = " ".join(["choice", kind, right, *sorted(set(wrong))])
        question = dice.one_of(QUESTIONS[kind]).format(first=right[0], right=right)
        choices = dice.shuffled([right, *wrong])
        letter = self.letters[choices.index(right)]
        return Problem(identity, render_mc(question, self.letters, choices), letter)

    def get_example(self, index: int) -> Conversation:
        return {**super().get_example(index), "letters": list(self.letters)}
