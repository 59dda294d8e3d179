"""What the runs of the chat stages share: tasks, the tokenizer among the weights, models, scores."""

import json

TASKS = ("arithmetic", "letters", "sorting", "choice")
TEST_SEED = 5      # of the questions that stages are scored by
MAX_TOKENS = 48    # of an answer
FIRST_LETTERS = {"kinds": ("letters",), "most": 3}  # the sorting that rewards teach: three letters


def base_settings():
    """The settings of the base training, from which those of a stage come."""
    from pathlib import Path

    from runs.prose import settings_of

    return settings_of(Path())


def make_tokenizer():
    """The base model's tokenizer, as plain data to be kept with the weights."""
    import tempfile
    from pathlib import Path

    import numpy as np

    from runs.prose import prepare

    with tempfile.TemporaryDirectory() as folder:
        prepare(Path(folder))
        text = (Path(folder) / "tokenizer" / "tokenizer.json").read_bytes()
    return np.frombuffer(text, dtype=np.uint8)


def tokenizer_of(weights):
    """The tokenizer that a run kept with its weights."""
    import tempfile
    from pathlib import Path

    from nanochat.tokenizer import get_tokenizer

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "tokenizer.json").write_bytes(weights["tokenizer"].tobytes())
        return get_tokenizer(folder)


def parameters_of(weights, kept=""):
    """The arrays of one of the models that a run kept: the one without a name, or ``unmasked/...`` and the like."""
    prefix = kept + "/" if kept else ""
    named = {name.removeprefix(prefix): array for name, array in weights.items() if name.startswith(prefix)}
    return {name: array for name, array in named.items() if "/" not in name and "." in name}


def model_of(weights, kept=""):
    """A model that can be looked into, in eval mode."""
    from runs.models import load_nanochat
    from runs.prose import VOCABULARY

    return load_nanochat(base_settings().model_config(VOCABULARY), parameters_of(weights, kept))


def fresh_model(weights, kept=""):
    """The same model as it trains: with fused attention, which is faster."""
    import torch

    from nanochat.gpt import GPT
    from runs.prose import VOCABULARY

    model = GPT(base_settings().model_config(VOCABULARY))
    model.load_state_dict({name: torch.from_numpy(array) for name, array in parameters_of(weights, kept).items()})
    return model


def kept_as(name, model):
    """A model's weights, under a name of their own."""
    return {f"{name}/{key}": tensor for key, tensor in model.state_dict().items()}


def questions(size, names=TASKS):
    """The questions that every stage is scored by."""
    from nanochat.tasks.mixture import generated

    return {name: task for name, task in generated("test", size, TEST_SEED).items() if name in names}


def first_right(model, tokenizer, task):
    """The first question of a task that the model answers rightly by its likeliest tokens; ValueError if there is none.

    Examples are chosen by what comes of them, so that they show what their text says on any machine.
    """
    from nanochat.cli.eval import answer
    from nanochat.engine import Engine

    engine = Engine(model, tokenizer)
    for number in range(len(task)):
        (text,) = answer(engine, tokenizer, [task[number]], MAX_TOKENS, 1)
        if task.evaluate(task[number], text):
            return task[number]
    raise ValueError(f"none of the {len(task)} questions is answered rightly")


def first_unsure(model, tokenizer, task, below=0.5):
    """The first question after which no token has so much of the probability; ValueError if there is none."""
    import torch

    for number in range(len(task)):
        with torch.inference_mode():
            logits = model(torch.tensor([tokenizer.render_for_completion(task[number])]))[0, -1]
        if logits.softmax(-1).max() < below:
            return task[number]
    raise ValueError(f"after each of the {len(task)} questions a token has {below:.0%} or more")


def card_of(model, tokenizer, size, names=TASKS):
    """The score of each task."""
    from nanochat.cli.eval import score_task

    tasks = questions(size, names)
    return {name: score_task(model, tokenizer, task, MAX_TOKENS) for name, task in tasks.items()}


def card_facts(label, card):
    """The right answers of each task as facts, ``after_letters``, and all of the card as JSON."""
    rows = {name: [score.right, score.asked, score.baseline] for name, score in card.items()}
    return {f"{label}_{name}": score.accuracy for name, score in card.items()} | {f"card_{label}": json.dumps(rows)}


def read_card(run, label):
    """The scores that a run noted, for cells."""
    from nanochat.cli.eval import Score

    return {name: Score(*row) for name, row in json.loads(run.facts[f"card_{label}"]).items()}
