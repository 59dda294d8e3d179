"""What each process of the run ``distributed`` does; the second one executes this file."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from runs.handbook import whole_text, write_topics

STEPS, CHAT_STEPS = 20, 10
VOCABULARY = 512


@contextlib.contextmanager
def second_process(job):
    """Let a process of its own do ``job`` as rank 1, while this one is rank 0; they meet as torchrun lets them meet."""
    import torch.distributed as dist

    import nanochat
    import nanogpt

    store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)  # at a port that is free
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port), "WORLD_SIZE": "2"}
    meeting["TORCHELASTIC_USE_AGENT_STORE"] = "True"
    folders = json.dumps({package.__name__: list(package.__path__) for package in (nanochat, nanogpt)})
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, **meeting, "RANK": "1", "PYTHONPATH": path}
    command = [sys.executable, __file__, job, folders]
    second = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
    try:
        with patch.dict(os.environ, {**meeting, "RANK": "0"}):
            yield
        if second.wait(timeout=60):
            raise RuntimeError(f"the second process ended with {second.returncode}")
        dist.destroy_process_group()  # not before the second has done all that needs both
    finally:
        second.kill()


def prepare():
    """Write into this folder what both packages train on."""
    from nanochat.dataset import documents
    from nanochat.tokenizer import RustBPETokenizer
    from nanogpt.data import prepare_char

    prepare_char(whole_text(), Path("data/topics"))
    write_topics(Path("shards"))
    RustBPETokenizer.train_from_iterator(documents("train", "shards"), VOCABULARY).save("tokenizer")


def options_of(**changes):
    """The preset for a CPU; the 12 sequences of its step are made of four micro-batches."""
    from nanogpt.configurator import configure
    from nanogpt.train import TrainOptions

    preset = configure(TrainOptions(), ["config/train_shakespeare_char_cpu.py"], "")
    return replace(preset, dataset="topics", gradient_accumulation_steps=4, batch_size=3, **changes)


def settings_of(**changes):
    """Three layers, so that two processes can't share the matrices of some shapes evenly."""
    from nanochat.training.settings import Settings

    small = Settings(
        data="shards", tokenizer="tokenizer", depth=3, n_embd=64, head_dim=32, max_seq_len=64, device_batch_size=4,
        total_batch_size=1024, num_iterations=100, device="cpu", peak_flops=1.0,
    )  # fmt: skip
    return replace(small, **changes)


def measure():
    """What each of the two processes does, and what it has found."""
    from nanochat.common import World
    from nanogpt.world import join

    options, world = join(options_of())
    averaged = gpt_steps(options, world)
    forgotten = gpt_steps(options, world, averaged["batches"], averages=False)
    here = World(world.rank, world.size)
    half = chat_steps(settings_of(), here)
    single = chat_steps(settings_of(), here, half["rows"], half=False)
    return averaged, forgotten, half, single


def gpt_steps(options, world, batches=None, averages=True):
    """nanoGPT's loop without its evaluations: with given batches, or as this process draws them."""
    import torch

    from nanogpt import train

    torch.manual_seed(train.SEED + world.rank)
    state = train.begin(options, world, None)
    found = {} if batches else draw(options, options.gradient_accumulation_steps // world.size)
    batches = batches or found["batches"]
    if not averages:
        state.network = state.model
    wte = state.model.transformer.wte.weight
    found |= {"loss": [], "norm": [], "apart": [], "weights": [], "before": wte.detach().clone()}
    for step, mine in enumerate(batches):
        for group in state.optimizer.param_groups:
            group["lr"] = train.get_lr(step, options)
        losses = train.micro_steps(state, options, world, Given(mine))
        found.setdefault("gradient", wte.grad.clone())
        found["norm"].append(train.update(state, options))
        found["loss"].append(sum(losses).item() / len(losses))
        keep_weights(found, state.model, world)
        found.setdefault("after", wte.detach().clone())
    return found


def draw(options, count):
    """This process's micro-batches of all steps, drawn by nanoGPT, and the places in the text where they begin."""
    import torch

    from nanogpt.data import read_tokens
    from nanogpt.train import Batches

    places = len(read_tokens(Path("data/topics"), "train")) - options.block_size
    stream, drawn, states = Batches(options, "cpu"), [], []
    for _ in range(STEPS):
        drawn.append([])
        for _ in range(count):
            drawn[-1].append(stream.current)
            states.append(stream.rng)
            stream.fetch()
    starts = []
    for state in states:
        torch.set_rng_state(state)
        starts.append(torch.randint(places, (options.batch_size,)))
    windows = torch.stack([x for x, _ in drawn[0]])
    return {"batches": drawn, "windows": windows, "starts": torch.stack(starts).view(STEPS, count, -1)}


class Given:
    """Micro-batches of one step that are there already."""

    def __init__(self, batches):
        self.left = list(batches)
        self.fetch()

    def fetch(self):
        self.current = self.left.pop(0) if self.left else None


def chat_steps(settings, world, rows=None, half=True):
    """nanochat's steps: with given rows, or with those of this process's row groups; Muon in bfloat16 or float32."""
    from nanochat.training.step import begin, take_step

    training = begin(settings, world)
    groups = [(group.file, group.group, group.documents) for group in training.loader.documents.row_groups]
    rows = rows or [next(training.loader) for _ in range(CHAT_STEPS * training.accumulation)]
    training.loader = iter(rows)
    for group in training.optimizer.param_groups:
        if group["kind"] == "muon":
            group["bfloat16"] = half
    found = {"rows": rows, "groups": groups, "vocabulary": training.tokenizer.get_vocab_size()}
    found |= {"loss": [], "norm": [], "apart": [], "weights": []}
    for _ in range(CHAT_STEPS):
        told = take_step(training)
        found["loss"].append(told["loss"])
        found["norm"].append(told["grad_norm"])
        keep_weights(found, training.model, world)
    memories = (memory for kept in training.optimizer.state.values() for memory in kept.values())
    found["memory"] = sum(memory.nbytes for memory in memories if hasattr(memory, "nbytes"))
    return found


def keep_weights(found, model, world):
    """The first process keeps all weights after this step; ``apart``: how far those of two processes are apart."""
    import torch
    import torch.distributed as dist

    weights = torch.cat([p.detach().flatten() for p in model.parameters()])
    if world.size > 1:
        both = [torch.empty_like(weights) for _ in range(world.size)]
        dist.all_gather(both, weights)
        found["apart"].append(largest(both[0] - both[1]))
    if world.rank == 0:
        found["weights"].append(weights)


def largest(difference):
    return difference.abs().max().item()


def play(record, tables=None):
    """One step of each package by both processes, of which the first is recorded."""
    import torch

    from nanochat.common import World
    from nanochat.training import step as training
    from nanogpt import train, world

    torch.use_deterministic_algorithms(True)  # what is recorded before it was written to is then the same every time
    small = options_of(block_size=16, n_layer=1, n_head=2, n_embd=32)
    with record("join", tables):
        options, here = world.join(small)
    torch.manual_seed(train.SEED + here.rank)
    with record("begin"):
        state = train.begin(options, here, None)
    batches = train.Batches(options, "cpu")
    drawn = [batches.current]
    batches.fetch()
    with record("step"):
        train.micro_steps(state, options, here, Given([*drawn, batches.current]))
        train.update(state, options)
    with record("states"):
        world.gather_random_states(batches.rng, here)
    sizes = {"n_embd": 32, "head_dim": 16, "max_seq_len": 16, "total_batch_size": 128}
    prepared = training.begin(settings_of(**sizes), World(here.rank, here.size))
    with record("share"):
        training.take_step(prepared)


if __name__ == "__main__":  # as the second process
    import torch

    from cutaway.runs.importer import install

    install(json.loads(sys.argv[2]))
    if sys.argv[1] == "measure":
        torch.save([{**found, "weights": []} for found in measure()], "second.pt")
    else:
        play(lambda name, model=None: contextlib.nullcontext())
    os._exit(0)  # taking a group apart on both sides at once can wait for ever
