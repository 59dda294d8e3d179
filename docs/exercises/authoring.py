from itertools import pairwise

from cutaway import load
from cutaway.exercises import Case, Exercise, mistake


class Falls(Exercise):
    def cases(self):
        yield Case("three numbers", ([3.0, 2.0, 2.0],), 0.5)
        losses = [loss for _, loss in load("sort").log["loss"]]
        falls = sum(losses[i + 1] < losses[i] for i in range(len(losses) - 1))
        yield Case("the losses of the run", (losses,), falls / (len(losses) - 1))

    @staticmethod
    def solution(losses):
        pairs = list(pairwise(losses))
        return sum(after < before for before, after in pairs) / len(pairs)

    @mistake("There is one pair fewer than there are numbers.")
    def of_all(losses):
        return sum(after < before for before, after in pairwise(losses)) / len(losses)

    @mistake("A pair of equal numbers is no fall.")
    def or_equal(losses):
        pairs = list(pairwise(losses))
        return sum(after <= before for before, after in pairs) / len(pairs)
