"""Which skills there are: what each is for, the commands in the order in which they help, and where to read on.

Words in capitals stand for what the reader has: LOG, DATA, CHECKPOINT, ... The options are not in this table,
they come from the tools. A command whose tool is not in this version is left out.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    told: str  # one sentence
    command: str = ""  # as it is typed


@dataclass(frozen=True)
class Skill:
    """One of the seed's fourteen commands."""

    name: str
    does: str  # a clause: "Find ..."
    when: str  # after "Use it when"
    chapter: str  # the label in the book
    steps: tuple[Step, ...]
    helps: tuple[str, ...]  # whose --help is printed below
    ask: str = ""  # before what the user is asked


SIZE = "--model MODEL --depth DEPTH"
PYTHON = "python -m cutaway"

TROUBLES = (
    Skill(
        "debug-oom", "Find what fills the memory of a training and what to change first",
        "a training stops with CUDA out of memory, or is killed without a word", "guide-memory", (
            Step("Ask what takes the memory, with the size and the batch of the training that failed. On another "
                 "machine add `--gpu NAME`.", f"fieldguide memory {SIZE} --batch BATCH"),
            Step("Without --batch it finds the largest batch that fits.", f"fieldguide memory {SIZE}"),
            Step("Where even a batch of 1 is too much, blocks can be computed twice.",
                 f"fieldguide memory {SIZE} --batch BATCH --checkpointing"),
        ), ("fieldguide memory",),
    ),
    Skill(
        "debug-loss", "Read a training's log and say what is wrong with its loss",
        "the loss is NaN, jumps, stands still, or is too good", "guide-loss", (
            Step("Let the tool read the log; each finding has its evidence and the next experiment.",
                 "fieldguide loss LOG"),
            Step("A wrong split or another tokenizer shows in the data.", "fieldguide data DATA"),
            Step("Where an earlier training was well, compare the settings.", "fieldguide runs compare RUN OTHER"),
        ), ("fieldguide loss",),
    ),
    Skill(
        "debug-distributed", "Test whether processes reach each other, average gradients and tell of errors",
        "several GPUs fail, hang, or give another result than one", "guide-processes", (
            Step("Two processes on this machine do what a training does.", "fieldguide distributed"),
            Step("Run the user's script in processes whose first error is kept.",
                 "fieldguide distributed --script FILE"),
            Step("What the variables of NCCL and PyTorch show, and which are set.",
                 "fieldguide distributed --variables"),
            Step("See whether the numbers divide and the port is free.",
                 f"fieldguide check {SIZE} --processes 2 --data DATA"),
        ), ("fieldguide distributed", "fieldguide check"),
    ),
    Skill(
        "debug-stuck", "Find where a training hangs: process, line, collective, data or checkpoint",
        "a training prints nothing any more, and has not ended", "guide-hangs", (
            Step("See how long it has been silent, and what it did before.", "fieldguide watch LOG --once"),
            Step("Ask the process itself where it stands.", "fieldguide stuck PID"),
        ), ("fieldguide stuck", "fieldguide watch"), "before you end a process: it may have hours in it that no "
        "checkpoint has",
    ),
    Skill(
        "fix-checkpoint", "Find out what a checkpoint holds and whether it is whole, and write a mended copy",
        "a checkpoint does not load, or the disk is full of them", "guide-files", (
            Step("See which there are.", "fieldguide checkpoint list FOLDER"),
            Step("See whether one is whole.", "fieldguide checkpoint verify CHECKPOINT"),
            Step("Repair writes a copy and leaves the original.", "fieldguide checkpoint repair CHECKPOINT --out COPY"),
            Step("For another number of processes: without --out this only says what would be done.",
                 "fieldguide checkpoint repair CHECKPOINT --processes 1"),
            Step("Thin out: this only says what would be deleted.", "fieldguide checkpoint thin FOLDER"),
        ), ("fieldguide checkpoint", "fieldguide checkpoint repair", "fieldguide checkpoint thin"),
        "before `thin --delete`: what is deleted is gone. Show what the command without `--delete` prints",
    ),
    Skill(
        "verify-data", "Check data: shards cut short, wrong ids, doubles, a leaked split, garbled text",
        "data was downloaded or made anew, or a training fails in its data", "guide-files", (
            Step("A folder or files: nanochat's shards, nanoGPT's .bin, JSON lines, text.", "fieldguide data DATA"),
        ), ("fieldguide data",), "before you delete or replace data",
    ),
)  # fmt: skip

SETUP = (
    Skill(
        "train", "Plan a training, check that it can run, start it, follow it and keep its record",
        "the user wants to train a model", "yours", (
            Step("See what it needs: tokens, hours, money.", f"fieldguide scale {SIZE}"),
            Step("See whether it can start here.", f"fieldguide check {SIZE} --data DATA"),
            Step("Let it plan and time a step; this starts nothing. Sizes are in the options below.",
                 "fieldguide train --model MODEL --text TEXT --size SIZE --yes --dry-run"),
            Step("After the user's yes, start it.", "fieldguide train --model MODEL --text TEXT --size SIZE --yes"),
            Step("Follow it.", "fieldguide watch LOG --once"),
            Step("Keep a record, so that nobody tries the same again.", "fieldguide runs record LOG --name NAME"),
        ), ("fieldguide train", "fieldguide check"), "before a training is started: show its time and what it costs",
    ),
    Skill(
        "gpu-check", "Look at device, driver, dtype, memory and disk",
        "it is not known whether a training can run on this machine, or no GPU is found", "guide-costs-check", (
            Step("Ask for CUDA: what is missing is said.", "fieldguide check --device cuda"),
            Step("GPUs whose figures are known, with date and source.", "fieldguide memory --gpu list"),
        ), ("fieldguide check",),
    ),
    Skill(
        "config-memory", "Find the largest batch that fits a GPU",
        "the user asks for a batch size, or for the model that fits a GPU", "guide-memory", (
            Step("For the GPU that is here; `--gpu NAME` takes another.", f"fieldguide memory {SIZE}"),
            Step("What more processes change.", f"fieldguide memory {SIZE} --processes 2"),
        ), ("fieldguide memory",),
    ),
    Skill(
        "scaling", "Compute parameters, tokens, operations, steps, hours and money, from a model or from a budget",
        "the user asks how long to train, how large, or at what cost", "guide-costs", (
            Step("From a model.", f"fieldguide scale {SIZE}"),
            Step("From a budget of operations to the best size.", "fieldguide scale --flops FLOPS"),
        ), ("fieldguide scale",),
    ),
    Skill(
        "rent-gpu", "Compute hours and money of a training on rented GPUs, with the user's own prices",
        "the user wants to rent a GPU", "guide-costs-rent", (
            Step("See what the training needs of a GPU's memory.", f"fieldguide memory {SIZE} --gpu GPU"),
            Step("Ask the user for a price of today, or read it from the provider's page; none is assumed here.",
                 f"fieldguide scale {SIZE} --gpu GPU --gpus 8 --dollars-per-gpu-hour PRICE"),
        ), ("fieldguide scale",), "before anything is rented: it costs money until it is given back",
    ),
)  # fmt: skip

LEARNING = (
    Skill(
        "explain", "Draw the data flow of a part of nanoGPT, nanochat or nGPT, from a recorded run",
        "the user asks how a part of the model works, or where a number comes from", "questions", (
            Step("A short name, as attention, mlp, optimizer, tokenizer, or a dotted path.",
                 f"{PYTHON} explain attention"),
            Step("Of which numbers a recorded number was made.", f'{PYTHON} why "sort.forward/h.0.attn/att[0,0,5,2]"'),
            Step("The address of the passage, for an answer that others can check.",
                 f"{PYTHON} link attention-forward-mask --as markdown"),
        ), (f"{PYTHON} explain", f"{PYTHON} why"),
    ),
    Skill(
        "visualize", "Render a clip of the book, or of a log, as MP4, GIF or WebP",
        "the user wants a video or an animation of a model or of a training", "recording", (
            Step("Topics, and clips of the user's own log or checkpoint.", "fieldguide visualize"),
            Step("One clip of the book as a file; `--gif` and `--webp` work alike.",
                 f"{PYTHON} clip attention.CausalMask --mp4 FILE"),
        ), ("fieldguide visualize", f"{PYTHON} clip"),
    ),
    Skill(
        "clips-setup", "Install what renders clips: Manim, Typst and PyAV, in place of a Remotion project",
        "a clip is to be rendered and Manim is not installed, or someone asks for remotion-setup", "using-clip", (
            Step("In a checkout of the book this makes the environment, and says which system packages are missing.",
                 "nox -s book"),
            Step("Elsewhere.", 'pip install "cutaway[clips]"'),
            Step("See whether it works: one frame as a picture.",
                 f"{PYTHON} frame attention.CausalMask 2.5s --png FILE"),
        ), (f"{PYTHON} frame",), "before you install system packages",
    ),
)  # fmt: skip

SKILLS = TROUBLES + SETUP + LEARNING
