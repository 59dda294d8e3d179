"""What a process is at, by its stack: in a collective, reading data, writing a checkpoint, compiling, ..."""

from dataclasses import dataclass

from fieldguide.stuck.processes import Process
from fieldguide.stuck.stacks import Frame, Stack

COLLECTIVES = (
    "all_reduce", "barrier", "monitored_barrier", "all_gather", "all_gather_object", "all_gather_into_tensor",
    "broadcast", "broadcast_object_list", "reduce", "reduce_scatter", "reduce_scatter_tensor", "gather",
    "gather_object", "scatter", "scatter_object_list", "all_to_all", "all_to_all_single", "send", "recv",
)  # fmt: skip
# Kind, parts of a file's name, names of functions (any where empty); looked at from the innermost line outwards.
RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("import", ("<frozen importlib",), ()),
    ("compile", ("torch/_dynamo/", "torch/_inductor/", "triton/"), ()),
    ("checkpoint", ("checkpoint", "safetensors", "torch/serialization"), ()),
    ("checkpoint", ("",), ("save_checkpoint", "save_file", "keep_tokenizer")),
    ("data", ("dataloader", "dataset", "parquet", "/data.py", "/datasets/"), ()),
    ("data", ("",), ("get_batch", "read_tokens", "next_batch", "load_tokens")),
    ("meeting", ("torch/distributed/rendezvous", "torch/distributed/elastic"), ()),
    ("meeting", ("",), ("init_process_group", "_store_based_barrier")),
    ("download", ("urllib/", "requests/", "http/client", "huggingface_hub"), ()),
    ("subprocess", ("subprocess.py",), ()),
    ("optimizer", ("torch/optim/",), ()),
    ("backward", ("torch/autograd/", "torch/_tensor.py"), ("backward", "_engine_run_backward")),
    ("evaluation", ("",), ("evaluate", "estimate_loss", "evaluate_split", "evaluate_bpb")),
)
WORDS = {
    "collective": "waits in {what}", "meeting": "meets the others", "data": "is at data", "compile": "compiles",
    "checkpoint": "writes or reads a checkpoint", "download": "downloads", "subprocess": "waits for a program",
    "optimizer": "is in the optimizer's step", "backward": "is in the backward pass", "evaluation": "evaluates",
    "sleep": "sleeps", "import": "imports modules", "other": "is at its own code", "unknown": "is somewhere",
}  # fmt: skip


@dataclass(frozen=True)
class Activity:
    """What one process is at."""

    kind: str
    what: str = ""  # the collective
    place: str = ""  # the training's own line
    kernel: str = ""  # what it waits for in the kernel

    @property
    def words(self) -> str:
        """A clause without its subject."""
        said = WORDS[self.kind].format(what=self.what)
        said += f" at {self.place}" if self.place else ""
        return said + (f", {self.kernel}" if self.kernel and self.kind != "collective" else "")


def activity_of(process: Process, stack: Stack | None, kernel: str) -> Activity:
    """What a process is at; without a stack, as far as the kernel tells."""
    if stack is None or not stack.frames:
        kind = "sleep" if kernel == "sleeping" else "unknown"
        return Activity(kind, "", "", "" if kind == "sleep" else kernel)
    name = collective(stack.frames)
    if name:
        return Activity("collective", name, stack.place, kernel)
    kinds = [kind for frame in stack.frames if (kind := kind_of(frame))]
    kind = "import" if "import" in kinds else kinds[0] if kinds else "other"
    together = int(process.environment.get("WORLD_SIZE", "1") or 1) if process.rank is not None else 1
    if kind == "backward" and together > 1 and process.cpu < 0.1:
        return Activity("collective", "the averaging of gradients (backward)", stack.place, kernel)
    if kind == "other" and kernel == "sleeping":
        kind, kernel = "sleep", ""
    return Activity(kind, "", stack.place, kernel)


def collective(frames: tuple[Frame, ...]) -> str:
    """The collective that was called, the outermost: some are made of others."""
    found = [frame.function for frame in frames
             if frame.function in COLLECTIVES and "torch/distributed/" in frame.file]  # fmt: skip
    return found[-1] if found else ""


def kind_of(frame: Frame) -> str:
    """The first rule that a line fits."""
    for kind, parts, functions in RULES:
        if (not functions or frame.function in functions) and any(part in frame.file for part in parts):
            return kind
    return ""
