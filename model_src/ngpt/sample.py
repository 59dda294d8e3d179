"""Write text with a trained nGPT, or with the GPT that it is compared with.

    python -m ngpt.sample --out_dir=out-ngpt-char --start="ROMEO:" --num_samples=3

The model is that of a checkpoint of ngpt.train; tokens are those of its dataset's ``meta.pkl``, or else GPT-2's byte
pairs. Keys and values of earlier tokens are kept, so that a new token costs the same wherever it stands.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import torch

from nanogpt import checkpoint as checkpoints
from nanogpt.configurator import OptionError, configure
from nanogpt.data import codec
from nanogpt.device import DEFAULT_DTYPE, autocast, usable_device
from nanogpt.sample import RULE, prompt
from ngpt.train import model_from


@dataclass(frozen=True)
class Options:
    """What can be set."""

    out_dir: str = "out"  # where the checkpoint is
    start: str = "\n"  # the prompt, or FILE:name to read it from a file
    num_samples: int = 10
    max_new_tokens: int = 500
    temperature: float = 0.8  # below 1.0 safer, above bolder
    top_k: int = 200  # draw among so many best tokens
    seed: int = 1337
    device: str = "auto"  # or cpu, mps, cuda
    dtype: str = DEFAULT_DTYPE  # float32, bfloat16 or float16


def sample(options: Options) -> list[str]:
    """Print the samples, prompt included, as they come."""
    if options.temperature <= 0:
        raise OptionError(f"--temperature={options.temperature}: must be above 0; --top_k=1 takes the best token")
    device = usable_device(options.device)
    checkpoint = checkpoints.load(options.out_dir, device)
    model = model_from(checkpoint).eval().to(device)
    encode, decode = codec(Path("data") / str(checkpoint["config"].get("dataset", "")))
    ids = encode(prompt(options.start))
    if not ids:
        raise OptionError("--start is empty: a model needs at least one token to go on from")
    torch.manual_seed(options.seed)
    samples = []
    for _ in range(options.num_samples):
        with autocast(device, options.dtype):
            new = model.generate(
                torch.tensor([ids], device=device), options.max_new_tokens, options.temperature, options.top_k
            )
        samples.append(decode(new[0].tolist()))
        print(samples[-1], RULE, sep="\n")
    return samples


def main(argv: list[str]) -> None:
    try:
        sample(configure(Options(), argv, str(__doc__)))
    except (OptionError, FileNotFoundError, ValueError, RuntimeError) as error:
        raise SystemExit(f"sample: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
