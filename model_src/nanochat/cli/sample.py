"""Write text with a trained base model.

    python -m nanochat sample CHECKPOINTS --prompt "The value of" --samples 3

CHECKPOINTS is the folder that ``nanochat base_train`` wrote to with ``--out``. The tokenizer is the one that the model
was trained with, wherever it stood then; ``--tokenizer`` says where it stands now.
"""

import argparse
import sys
from pathlib import Path

from nanochat.gpt import GPT
from nanochat.tokenizer import RustBPETokenizer
from nanochat.training.loading import load


def write(
    model: GPT,
    tokenizer: RustBPETokenizer,
    prompt: str,
    tokens: int,
    temperature: float = 0.8,
    top_k: int | None = None,
    seed: int = 42,
) -> str:
    """The prompt and what the model writes after it, at most so many tokens.

    It ends where a new document would begin. Equal seeds write equal texts.
    """
    bos = tokenizer.get_bos_token_id()
    written = []
    for id in model.generate(tokenizer.encode(prompt, prepend=bos), tokens, temperature, top_k, seed):
        if id == bos:
            break
        written.append(id)
    return prompt + tokenizer.decode(written)


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat sample", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="CHECKPOINTS", help="where the checkpoints are")
    parser.add_argument("--step", type=int, help="of which checkpoint (default: the last one)")
    parser.add_argument("--tokenizer", help="its folder (default: the one beside the checkpoint)")
    parser.add_argument("--prompt", default="The", help="what is to be continued (default: The)")
    parser.add_argument("--samples", type=int, default=1, help="how many (default: 1)")
    parser.add_argument("--tokens", type=int, default=200, help="of a sample, at most (default: 200)")
    parser.add_argument(
        "--temperature", type=float, default=0.8, help="below 1 safer, above bolder, 0: the likeliest (default: 0.8)"
    )
    parser.add_argument("--top-k", type=int, help="draw among so many best tokens (default: all)")
    parser.add_argument("--seed", type=int, default=42, help="of the first sample; the next has the next (default: 42)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps, or auto: the fastest that is here (default)")
    options = parser.parse_args(argv)
    if options.samples < 1 or options.tokens < 1 or options.temperature < 0:
        parser.error("--samples and --tokens are 1 or more, --temperature is 0 or more")
    return options


def run(options: argparse.Namespace) -> None:
    model, tokenizer = load(options.folder, options.step, options.tokenizer, options.device)
    for number in range(options.samples):
        seed = options.seed + number
        text = write(model, tokenizer, options.prompt, options.tokens, options.temperature, options.top_k, seed)
        print(text, "-" * 15, sep="\n", flush=True)


def main(argv: list[str]) -> None:
    try:
        run(parse(argv))
    except (ValueError, AssertionError, OSError) as error:
        raise SystemExit(f"sample: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
