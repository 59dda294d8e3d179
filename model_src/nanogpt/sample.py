"""Write text with a trained model.

    python -m nanogpt.sample --out_dir=out-shakespeare-char --start="ROMEO:" --num_samples=3
    python -m nanogpt.sample --init_from=path/to/gpt2 --start=FILE:prompt.txt

The model is that of a checkpoint, or GPT-2 from a local folder. Characters become tokens as in the
``meta.pkl`` of the checkpoint's dataset, or else by GPT-2's byte pairs.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

if not __package__:  # started as `python sample.py`: the package is found beside this folder
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import torch

from nanogpt import checkpoint as checkpoints
from nanogpt.configurator import OptionError, configure
from nanogpt.data import codec
from nanogpt.device import DEFAULT_DTYPE, allow_tf32, autocast, can_compile, usable_device
from nanogpt.model import GPT

RULE = "-" * 15  # between samples


@dataclass(frozen=True)
class SampleOptions:
    """What can be set."""

    init_from: str = "resume"  # a checkpoint, or a folder with GPT-2's weights
    out_dir: str = "out"  # where the checkpoint is
    start: str = "\n"  # the prompt, or FILE:name to read it from a file
    num_samples: int = 10
    max_new_tokens: int = 500
    temperature: float = 0.8  # below 1.0 safer, above bolder
    top_k: int = 200  # draw among so many best tokens
    seed: int = 1337
    device: str = "cuda"  # or cpu, mps, or auto: the fastest that is here
    dtype: str = DEFAULT_DTYPE  # float32, bfloat16 or float16
    compile: bool = False


def load(options: SampleOptions, device: str) -> tuple[GPT, Path]:
    """The model, and the folder of the data that it was trained on."""
    if options.init_from == "resume":
        checkpoint = checkpoints.load(options.out_dir, device)
        dataset = str(checkpoint["config"].get("dataset", ""))
        return checkpoints.model_from(checkpoint), Path("data") / dataset
    return GPT.from_pretrained(options.init_from, {"dropout": 0.0}), Path(options.init_from)


def prompt(start: str) -> str:
    """The prompt itself, or the text of the file that it names."""
    if not start.startswith("FILE:"):
        return start
    path = Path(start.removeprefix("FILE:"))
    if not path.is_file():
        raise OptionError(f"--start=FILE:{path}: no such file")
    return path.read_text(encoding="utf-8")


def sample(options: SampleOptions) -> list[str]:
    """Print the samples, prompt included, as they come."""
    if options.temperature <= 0:
        raise OptionError(
            f"--temperature={options.temperature}: must be above 0; --top_k=1 always takes the best token"
        )
    device = usable_device(options.device)
    torch.manual_seed(options.seed)
    allow_tf32()
    model, folder = load(options, device)
    encode, decode = codec(folder)
    model.eval().to(device)
    if options.compile and can_compile(device):
        model.compile()
    ids = encode(prompt(options.start))
    if not ids:
        raise OptionError("--start is empty: a model needs at least one token to go on from")
    samples = []
    for _ in range(options.num_samples):
        with autocast(device, options.dtype):
            idx = torch.tensor([ids], device=device)
            new = model.generate(idx, options.max_new_tokens, options.temperature, options.top_k)
        samples.append(decode(new[0].tolist()))
        print(samples[-1], RULE, sep="\n")
    return samples


def main(argv: list[str]) -> None:
    try:
        sample(configure(SampleOptions(), argv, str(__doc__)))
    except (OptionError, FileNotFoundError, ValueError, RuntimeError) as error:
        raise SystemExit(f"sample: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
