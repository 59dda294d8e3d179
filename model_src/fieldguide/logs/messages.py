"""Messages of PyTorch, CUDA and Python that end a training: what each means, and what to do.

Where a processor can produce a message, ``tests/models/test_fieldguide_messages.py`` does. Of the others these stand as
in PyTorch's source at 2.13: ``utils/data/dataloader.py`` (shared memory), ``aten/src/ATen/cuda/Exceptions.cpp``
(cuBLAS), ``_inductor/exc.py`` (the compiler), ``_dynamo/convert_frame.py`` (recompiling), ``c10d/NCCLUtils.hpp``
(NCCL). The watchdog's and CUDA's own stand as the guide's table of symptoms quotes them. Its messages are all here.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Message:
    """One message: how it is known, its cause, what to do; ``ends`` where the training does not go on after it."""

    name: str
    words: str  # a regular expression
    cause: str
    advice: str
    ends: bool = True


MESSAGES = (
    Message(
        "shared memory", r"out of shared memory|unable to (?:open|mmap|allocate) shared memory|signal: Bus error",
        "/dev/shm, through which DataLoader's workers hand over batches, is full: containers have 64 MB by default",
        "look at `df -h /dev/shm`; start the container with --ipc=host or --shm-size=8g, or set num_workers=0",
    ),
    Message(
        "open files", r"Too many open files|received 0 items of ancdata",
        "each batch that a worker hands over holds a file descriptor, and the limit of this shell is reached",
        "look at `ulimit -n` and raise it, or torch.multiprocessing.set_sharing_strategy('file_system'); keep no "
        "batches in a list",
    ),
    Message(
        "cuBLAS, memory", r"CUBLAS_STATUS_(?:ALLOC_FAILED|NOT_INITIALIZED)",
        "cuBLAS asks for its workspace when the first product runs: the GPU's memory is full by then, or an earlier "
        "kernel has failed",
        "`fieldguide memory`, a smaller batch; run once with CUDA_LAUNCH_BLOCKING=1, and a wrong id shows itself",
    ),
    Message(
        "cuBLAS", r"CUBLAS_STATUS_(?:EXECUTION_FAILED|INTERNAL_ERROR|INVALID_VALUE|NOT_SUPPORTED|ARCH_MISMATCH)",
        "a matrix product failed on the GPU: an earlier kernel wrote where it should not, a shape or a type that this "
        "GPU does not know, or libraries of two CUDA versions",
        "run the same batch on the CPU, whose message names the line, then with CUDA_LAUNCH_BLOCKING=1; compare "
        "torch.version.cuda with what `fieldguide check` says of the driver",
    ),
    Message(
        "two devices", r"(?:Expected all tensors to be on the same device|Tensor on device \S+ is not on the expected)",
        "one of the tensors of an operation stayed on another device: a batch that was not moved, a buffer that is no "
        "register_buffer, a tensor that forward makes without device=",
        "move batch and targets, x.to(device); make new tensors with device=x.device",
    ),
    Message(
        "module", r"(?:No module named|cannot import name) ['\"]?[\w.]+",
        "another Python than the one into which the packages were installed, or another folder than the code's",
        "`python -m pip show NAME` with the Python that runs the training; start from the folder of the code, "
        "`python -m scripts.base_train` for nanochat",
    ),
    Message(
        "compiler", r"Cannot find a working triton installation|TritonMissing|Failed to find C compiler"
        r"|No working C\+\+ compiler found|InvalidCxxCompiler|fatal error: Python\.h",
        "torch.compile writes code: it needs Triton on a GPU, and a C++ compiler with Python's headers",
        "train without it: --compile=False for nanoGPT; or install gcc, g++ and python3-dev; PyTorch's wheels for "
        "Linux bring Triton",
    ),
    Message(
        "recompiling", r"torch\._dynamo hit config\.(?:recompile_limit|cache_size_limit|accumulated_\w+)",
        "torch.compile met so many shapes or settings that it gave up: from there on this function runs uncompiled, "
        "and slowly",
        "TORCH_LOGS=recompiles names what changed: batches of one shape (drop_last=True), no Python numbers that "
        "change each step as arguments, or dynamic=True",
        ends=False,
    ),
    Message(
        "CUDA memory", r"CUDA out of memory|can't allocate memory",
        "the memory is full",
        "`fieldguide memory` says what takes it, and the largest batch that fits",
    ),
    Message(
        "ids", r"device-side assert triggered|index out of range in self",
        "an id is not below the vocabulary, or a target not below the logits",
        "`fieldguide data` on the folder; on the CPU the message names the line",
    ),
    Message(
        "address", r"(?i:address already in use)|EADDRINUSE",
        "another process, often an older training of one's own, listens on this port",
        "`fieldguide check --port N`; end that process, or give torchrun another --master_port",
    ),
    Message(
        "optimizer", r"KeyError: 'optimizer'",
        "the checkpoint holds weights alone: one can sample from it, and not go on training",
        "`fieldguide checkpoint repair` gives it a new optimizer; go on with a low rate and a warm-up",
    ),
    Message(
        "archive", r"PytorchStreamReader failed|(?i:parquet) magic bytes not found",
        "a file is cut short: its end, where its directory stands, is missing",
        "`fieldguide checkpoint verify` or `fieldguide data`; copy the file again, or take an earlier one",
    ),
    Message(
        "names of weights", r"(?:Missing|Unexpected) key\(s\)",
        "the checkpoint's names are not the model's: a prefix such as _orig_mod. or module., or another version",
        "`fieldguide checkpoint inspect` shows the names, `fieldguide checkpoint repair` strips prefixes",
    ),
    Message(
        "sizes of weights", r"size mismatch for ",
        "the checkpoint is of a model of another size, or of another vocabulary",
        "`fieldguide checkpoint inspect` shows its settings: make the model with these",
    ),
    Message(
        "code in a file", r"Weights only load failed",
        "the file asks for more than tensors, and reading that could run any code",
        "`fieldguide checkpoint inspect` says what it asks for, without running it; never answer with "
        "weights_only=False for a file of somebody else",
    ),
    Message(
        "collective", r"Watchdog caught collective operation timeout",
        "one rank waited for others that never came to the same collective operation",
        "compare OpType and SeqNum of all ranks; `fieldguide stuck` while it hangs",
    ),
    Message(
        "NCCL", r"NCCL error|ncclUnhandledCudaError|ncclSystemError|unhandled system error",
        "two GPUs or machines can't reach each other",
        "`fieldguide distributed --variables`; NCCL_DEBUG=INFO names the way that it chose",
    ),
    Message(
        "driver", r"driver version is insufficient|no kernel image",
        "this PyTorch is built for another CUDA than the driver knows, or for other GPUs",
        "`fieldguide check` compares them; install the build of PyTorch that fits the driver",
    ),
    Message(
        "rank", r"To enable traceback see",
        "a process ended with an error that torchrun does not know",
        "the process with the earliest time failed first: read what it printed; put @record above its main, and "
        "torchrun shows the error (`fieldguide distributed --script FILE`)",
    ),
    Message(
        "killed", r"^\s*Killed\s*$|exitcode\s*: -9\b",
        "the kernel ended the process, nearly always because memory was full",
        "`dmesg` says whether it was memory; `fieldguide memory --device cpu`",
    ),
    Message(
        "shares", r"can't be shared out evenly|not divisible",
        "one size is no multiple of another: micro-batches by processes, channels by heads, a step's tokens by rows",
        "the message names the sizes; `fieldguide check --processes N` before the next start",
    ),
    Message(
        "disk", r"No space left on device",
        "the disk is full: checkpoints take as much as the weights and twice that for AdamW",
        "`fieldguide check --out DIR --keep N`; `fieldguide checkpoint thin` lists what can go",
    ),
)  # fmt: skip
ANY = re.compile("|".join(message.words for message in MESSAGES))


def known(line: str) -> Message | None:
    """What a line says, if it is one of these."""
    if ANY.search(line) is None:
        return None
    return next(message for message in MESSAGES if re.search(message.words, line))
