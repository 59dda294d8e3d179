"""One of the processes that ``fieldguide distributed`` starts: looks around, or runs the reader's script.

    python -m fieldguide.distributed.worker probe|script RESULT JSON-OPTIONS
"""

import json
import os
import platform
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from fieldguide.distributed import recorded
from fieldguide.distributed.steps import follow
from fieldguide.stuck import register

SIZES = (1 << 18, 1 << 22)  # numbers of float32 that are summed up for timings: 1 and 16 MiB


def probe(options: dict[str, Any]) -> dict[str, Any]:
    """What this rank finds."""
    import torch
    import torch.distributed as dist

    rank, device = int(os.environ["RANK"]), "cpu"
    if options["backend"] == "nccl":
        device = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(device)
    started = time.monotonic()
    dist.init_process_group(options["backend"], timeout=timedelta(seconds=options["timeout"]))
    found: dict[str, Any] = {"rank": rank, "device": device, "met_seconds": time.monotonic() - started}
    found |= {"torch": torch.__version__, "python": platform.python_version(), "seed": options["seed"]}
    if options["code"]:
        from fieldguide.runs.setting import digest

        found["code"] = digest(Path(options["code"]))["digest"]
    total = torch.full((3,), float(rank + 1), device=device)
    dist.all_reduce(total)
    found["sum"] = total.tolist()
    found["seconds"] = {str(size * 4): timing(size, device) for size in SIZES}
    found |= train(options["seed"], device)
    dist.barrier()
    dist.destroy_process_group()
    return found


def timing(size: int, device: str) -> float:
    """Seconds of summing up so many numbers, the best of three."""
    import torch
    import torch.distributed as dist

    numbers, took = torch.ones(size, device=device), []
    for _ in range(4):  # the first one warms up
        started = time.perf_counter()
        dist.all_reduce(numbers)
        if device != "cpu":
            torch.cuda.synchronize()
        took.append(time.perf_counter() - started)
        numbers.fill_(1.0)
    return min(took[1:])


def train(seed: int, device: str) -> dict[str, Any]:
    """A tiny model, trained on parts by all, and on the whole by each alone: how far apart they are."""
    import torch
    import torch.distributed as dist
    from torch.nn.parallel import DistributedDataParallel

    from fieldguide.distributed.agreement import differences, digest

    torch.manual_seed(seed)
    model = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 4)).to(device)
    first = digest(torch.cat([p.detach().flatten() for p in model.parameters()]))
    alone = [p.detach().clone().requires_grad_() for p in model.parameters()]
    rank, size = dist.get_rank(), dist.get_world_size()
    x, y = torch.randn(6 * size, 8, device=device), torch.randn(6 * size, 4, device=device)
    drawn = torch.Generator().manual_seed(seed + rank)  # as training batches are: other ones on each rank
    network = DistributedDataParallel(model, device_ids=[device] if device != "cpu" else None)
    part = slice(6 * rank, 6 * rank + 6)
    torch.nn.functional.mse_loss(network(x[part]), y[part]).backward()
    names = [name for name, _ in model.named_parameters()]
    whole = torch.func.functional_call(model, dict(zip(names, alone, strict=True)), (x,))
    grads = torch.autograd.grad(torch.nn.functional.mse_loss(whole, y), alone)
    apart = max(float((p.grad - g).norm() / g.norm()) for p, g in zip(model.parameters(), grads, strict=True))
    found = {"weights": first, "gradients_apart": apart, "differences": differences(model)}
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(3):
        optimizer.step()
    return {**found, "after": differences(model, gradients=False), "draw": torch.rand(1, generator=drawn).item()}


def main(argv: list[str]) -> None:
    """Do it; an error goes into TORCHELASTIC_ERROR_FILE."""
    kind, result, options = argv[0], Path(argv[1]), json.loads(argv[2])
    register()
    if kind == "script":
        kept = follow()
        try:
            recorded.run(options["target"], options["words"])
        finally:
            result.write_text(json.dumps({"weights": kept}), encoding="utf-8")
        return
    from torch.distributed.elastic.multiprocessing.errors import record

    result.write_text(json.dumps(record(probe)(options)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
