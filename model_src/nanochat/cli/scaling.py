"""Scaling laws: how the loss falls with the size of the model, and on which size computing is best spent.

    python -m nanochat scaling --data DATA --tokenizer TOKENIZER

Two experiments. At equal tokens every size sees the same text (Kaplan et al., 2020): the loss over the parameters is
close to a power law. Along an IsoFLOP line every size gets the same operations, so larger ones see less text (Hoffmann
et al., 2022, approach 2): the loss over the parameters is a valley, and where it is lowest is the size to choose.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nanochat.cli.base_train import train
from nanochat.training.horizon import counted_parameters
from nanochat.training.powerlaw import Interval, Optimum, exponent, exponent_of_optima, optimum
from nanochat.training.settings import Settings

# Layers and width, and what each is trained with. At equal tokens larger is better, so there sizes span a decade; on
# an IsoFLOP line they stand on both sides of the best.
SIZES = ((1, 16), (1, 32), (2, 32), (2, 48), (2, 64), (3, 80))
TOKENS = 131_072
LINE_SIZES = ((1, 16), (1, 24), (1, 32), (2, 32), (2, 48))
FLOPS = (2.5e10, 5e10, 1e11)


@dataclass(frozen=True)
class Point:
    """One trained model."""

    n_layer: int
    n_embd: int
    parameters: int  # of the blocks' matrices and the head, as nanochat counts them
    tokens: int
    flops: float
    bpb: float       # bits per byte on the validation shard


Report = Callable[[Point], object]


def small(data: str = "", tokenizer: str = "", **options: Any) -> Settings:
    """Settings in which all sizes are trained: rows and steps that suit a minute of one core."""
    sizes: dict[str, Any] = {"head_dim": 16, "max_seq_len": 64, "device_batch_size": 8, "total_batch_size": 512}
    return Settings(data=data, tokenizer=tokenizer, eval_every=-1, peak_flops=1.0, **{**sizes, **options})


def measure(settings: Settings) -> Point:
    """Train a model, and tell what it cost and how good it is."""
    training = train(settings)
    model, tokens = training.model, training.plan.tokens
    assert training.val_bpb is not None  # it is measured at the end
    parameters = counted_parameters(model, newest=True)
    flops = tokens * model.estimate_flops()
    return Point(model.config.n_layer, model.config.n_embd, parameters, tokens, flops, training.val_bpb)


def equal_tokens(base: Settings, tokens: int, sizes: Sequence[tuple[int, int]], report: Report) -> list[Point]:
    """Each size on the same tokens."""
    return measure_all(replace(base, num_iterations=tokens // base.total_batch_size), sizes, report)


def iso_flop(base: Settings, flops: float, sizes: Sequence[tuple[int, int]], report: Report) -> list[Point]:
    """Each size on as many tokens as take this number of operations."""
    return measure_all(replace(base, target_flops=flops), sizes, report)


def measure_all(base: Settings, sizes: Sequence[tuple[int, int]], report: Report) -> list[Point]:
    """The same training of models of so many layers and such a width."""
    points = []
    for n_layer, n_embd in sizes:
        points.append(measure(replace(base, depth=n_layer, n_embd=n_embd)))
        report(points[-1])
    return points


def exponent_of_size(points: Sequence[Point]) -> Interval:
    """The b of bpb = a N^b over points of equal tokens; negative, because larger models are better."""
    return exponent([point.parameters for point in points], [point.bpb for point in points])


def best_size(points: Sequence[Point]) -> Optimum:
    """The parameters with the fewest bits per byte on an IsoFLOP line."""
    return optimum([point.parameters for point in points], [point.bpb for point in points])


def exponent_of_best_size(lines: dict[float, list[Point]]) -> Interval:
    """The b of N_opt = a C^b over IsoFLOP lines by their operations C."""
    return exponent_of_optima(list(lines), [best_size(points) for points in lines.values()])


def shown(found: Interval) -> str:
    return f"{found.value:.3g} ({found.low:.3g} to {found.high:.3g})"


def parse(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m nanochat scaling", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default="", help="folder of the shards (default: base_data in $NANOCHAT_BASE_DIR)")
    parser.add_argument("--tokenizer", default="", help="its folder (default: tokenizer in $NANOCHAT_BASE_DIR)")
    parser.add_argument("--tokens", type=int, default=TOKENS, help=f"of the equal trainings (default: {TOKENS})")
    parser.add_argument(
        "--flops", type=float, nargs="*", default=list(FLOPS), help=f"of IsoFLOP lines (default: {FLOPS})"
    )
    return parser.parse_args(argv)


def told(point: Point) -> None:
    print(
        f"{point.n_layer} layers x {point.n_embd}: {point.parameters:>9,} parameters, {point.tokens:>9,} tokens, "
        f"{point.flops:.2e} operations: {point.bpb:.4f} bits per byte",
        flush=True,
    )


def main(argv: list[str]) -> None:
    options = parse(argv)
    base = small(options.data, options.tokenizer)
    try:
        points = equal_tokens(base, options.tokens, SIZES, told)
        print(f"at equal tokens, bpb = a N^b with b = {shown(exponent_of_size(points))}")
        lines = {flops: iso_flop(base, flops, LINE_SIZES, told) for flops in options.flops}
        for flops, line in lines.items():
            print(f"{flops:.2e} operations: best with N = {shown(best_size(line).at)}")
        if len(lines) > 2:
            print(f"N_opt = a C^b with b = {shown(exponent_of_best_size(lines))}")
    except (ValueError, OSError) as error:
        raise SystemExit(f"scaling: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
