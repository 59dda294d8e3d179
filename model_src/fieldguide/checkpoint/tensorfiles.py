"""Files of tensors, read and written: safetensors by their head, and a whole nested checkpoint as one of them."""

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fieldguide.checkpoint.pickles import Refused, load, walk
from fieldguide.lines import regular
from fieldguide.report import UsageProblem

HEAD = 100_000_000  # bytes of a safetensors' head at most, as its library has it
JSON = 1 << 26  # bytes of a meta file at most
STRUCTURE = "fieldguide"  # where a head has the nesting of what was converted


def read_json(path: Path) -> dict[str, Any]:
    """A small JSON file that holds an object."""
    regular(path, "a meta file")
    if path.stat().st_size > JSON:
        raise Refused(f"{path} is refused: {path.stat().st_size:,} bytes are too many for a file of settings")
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise Refused(f"{path} can't be read ({error}): it is cut off or changed; take an earlier one") from error
    if not isinstance(fields, dict):
        raise Refused(f"{path} holds a {type(fields).__name__}, not settings by name: it is no meta file")
    return fields


def load_safetensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors by name, and the texts of the head."""
    regular(path, "a safetensors file")
    with path.open("rb") as file:
        length, size = int.from_bytes(file.read(8), "little"), path.stat().st_size
    if size < 8 or length > min(HEAD, size - 8):
        raise Refused(f"{path} can't be read: its head would have {length:,} bytes and it has {size:,}; it is cut off")
    try:
        with safe_open(path, "pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        advice = "it is cut off or changed; take an earlier checkpoint"
        raise Refused(f"{path} can't be read ({str(error)[:200]}): {advice}") from error


def read_tensors(path: Path) -> dict[str, torch.Tensor]:
    """The tensors of a file of either kind, by their places."""
    if path.suffix == ".safetensors":
        return load_safetensors(path)[0]
    return walk(load(path), path)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A path to write to, which becomes ``path`` when all is written. UsageProblem where that is there already."""
    if os.path.lexists(path):
        raise UsageProblem(f"{path} is there already, and nothing is overwritten: name another place with --out")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageProblem(f"{path} can't be written ({error}): name another place with --out") from error
    new = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        yield new
        with new.open("rb") as file:
            os.fsync(file.fileno())
        os.link(new, path)  # fails where somebody was faster
    except OSError as error:
        raise UsageProblem(f"{path} can't be written ({error}): is the disk full, or read only?") from error
    finally:
        new.unlink(missing_ok=True)


def save_pt(path: Path, value: Any) -> None:
    """Write a ``.pt`` file, which must not be there."""
    with new_file(path) as new:
        torch.save(value, new)


def save_json(path: Path, fields: dict[str, Any]) -> None:
    """Write a meta file, which must not be there."""
    with new_file(path) as new:
        new.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")


def save_safetensors(path: Path, tensors: dict[str, torch.Tensor], notes: dict[str, str]) -> None:
    """Write tensors, which must not share memory, and texts for the head."""
    with new_file(path) as new:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, new, notes)


def pack(value: Any, path: Path) -> tuple[dict[str, torch.Tensor], str]:
    """The tensors of a nested value by place, each once, and its nesting as JSON: what ``unpack`` needs."""
    places: dict[tuple[Any, ...], str] = {}
    tensors: dict[str, torch.Tensor] = {}
    for place, tensor in walk(value, path).items():
        same = (tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if tensor.numel() == 0 or same not in places:
            places[same] = place
            tensors[place] = tensor.clone()
    return tensors, json.dumps(skeleton(value, "", places))


def skeleton(value: Any, place: str, places: dict[tuple[Any, ...], str]) -> Any:
    """A value as JSON, tensors by their places."""
    if isinstance(value, torch.Tensor):
        same = (value.data_ptr(), tuple(value.shape), value.stride(), value.dtype)
        return {"tensor": place if value.numel() == 0 else places[same]}
    if isinstance(value, dict):
        items = [[skeleton(k, "", places), skeleton(v, f"{place}.{k}".lstrip("."), places)] for k, v in value.items()]
        return {"dict": items}
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [skeleton(v, f"{place}.{i}".lstrip("."), places) for i, v in enumerate(value)]}
    if isinstance(value, (bytes, complex, set, torch.dtype, torch.device)):
        return {"text": str(value)}
    return value


def unpack(structure: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """What ``pack`` was given."""
    if not isinstance(structure, dict):
        return structure
    ((kind, content),) = structure.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "dict":
        return {unpack(key, tensors): unpack(value, tensors) for key, value in content}
    if kind in ("list", "tuple"):
        return (tuple if kind == "tuple" else list)(unpack(item, tensors) for item in content)
    return content
