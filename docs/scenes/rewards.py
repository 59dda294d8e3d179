"""The clip for docs/chat/rewards.md: one question, its sampled answers, their rewards, the mean, the advantages."""

from manim import LEFT, RIGHT, FadeIn, VGroup

from scenes.kit import GRID_AT, LARGE, REST, Stage, at, number_text

TOP, ROW = 372, 132  # where the first answer stands, and the next one below it
ANSWER, REWARD, ADVANTAGE, PUSH = GRID_AT[0], 948, 1180, 1460
LONGEST = 14  # characters of an answer that are shown


class Group(Stage):
    """A question is answered several times; what each answer is better or worse than their mean is its advantage."""

    def construct(self):
        rewards, advantages = self.value("rl.group/rewards"), self.value("rl.loss/advantages")
        texts = [self.fact(f"rl.answer_{i}").strip() for i in range(len(rewards))]
        question = self.code(self.fact("rl.question"), LARGE).move_to(at(GRID_AT[0], 184), LEFT)
        self.tag(question, "rewards-sample-prompt")

        self.next_section("Question")
        self.beat("A question", FadeIn(question), say=f"The model is asked: {self.fact('rl.question')}")

        self.next_section("Answers")
        answers = VGroup(*(self.left(self.code(short(text), LARGE), ANSWER, i) for i, text in enumerate(texts)))
        self.tag(answers, "rewards-sample-answers")
        say = f"It answers {len(texts)} times, by chance: {'; '.join(texts)}."
        shown = FadeIn(answers, lag_ratio=0.3)
        self.beat(f"{len(texts)} answers, drawn by chance", shown, run_time=1.6, say=say)

        self.next_section("Rewards")
        scores = VGroup(*(self.right(self.number(reward, 0, LARGE), REWARD, i) for i, reward in enumerate(rewards)))
        self.tensor(scores, "rl.group/rewards", (slice(None),))
        right = sum(reward > 0 for reward in rewards)
        head = self.words("reward", color=self.theme.muted).move_to(at(REWARD, TOP - 96), RIGHT)
        say = f"Each is scored: 1 for a right answer, 0 for any other. Right here: {right}."
        self.beat("Right is 1, wrong is 0", FadeIn(head), FadeIn(scores), say=say)

        self.next_section("Mean")
        line = self.rule(REWARD - 200, REWARD, TOP + ROW * (len(rewards) - 0.5))
        mean = self.right(self.number(rewards.mean(), 2, LARGE), REWARD, len(rewards))
        what = self.words("mean", color=self.theme.muted).move_to(at(REWARD - 260, TOP + ROW * len(rewards)), RIGHT)
        self.tag(VGroup(line, mean, what), "rewards-group-advantage")
        say = f"The mean of the group is {number_text(rewards.mean())}: what this model can expect of this question."
        self.beat("Their mean is the baseline", FadeIn(VGroup(line, mean, what)), say=say)

        self.next_section("Advantages")
        cells = self.signed(advantages[:, None], (ADVANTAGE, TOP - ROW / 2 + 6), (224, ROW))
        self.tensor(cells, "rl.loss/advantages", (slice(None), None))
        on = VGroup(*(self.printed(value, cell) for value, cell in zip(advantages, cells, strict=True)))
        head = self.words("advantage", color=self.theme.muted).move_to(at(ADVANTAGE + 112, TOP - 90))
        say = f"Reward minus mean: {', '.join(number_text(advantage) for advantage in advantages)}."
        self.beat("Reward minus mean", FadeIn(head), FadeIn(cells), FadeIn(on), say=say)
        pushes = VGroup(*(self.left(self.push(value), PUSH, i) for i, value in enumerate(advantages)))
        say = "A step makes answers with a positive advantage likelier, those with a negative one less likely."
        self.beat("What a step will do", FadeIn(pushes), rest=2 * REST, say=say)

    def left(self, what, x, row):
        return what.move_to(at(x, TOP + ROW * row), LEFT)

    def right(self, what, x, row):
        return what.move_to(at(x, TOP + ROW * row), RIGHT)

    def printed(self, value, cell):
        return self.number(value, color=self.theme.on(cell.get_fill_color().to_hex())).move_to(cell)

    def push(self, advantage):
        word = "likelier" if advantage > 0 else "less likely" if advantage < 0 else "nothing"
        return self.tag(self.words(word, color=self.theme.ink), "policy-loss-weighted")


def short(text):
    """The beginning of a text that is too long for its column."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
