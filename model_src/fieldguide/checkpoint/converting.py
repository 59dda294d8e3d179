"""A checkpoint in another form: nanoGPT's and nanochat's ``.pt`` as safetensors, which can't run code, and back."""

from pathlib import Path

from fieldguide.checkpoint import tensorfiles
from fieldguide.checkpoint.layouts import OURS, Checkpoint
from fieldguide.checkpoint.repairs import apart
from fieldguide.report import Finding, UsageProblem

FORMS = ("pt", "safetensors")


def convert(checkpoint: Checkpoint, form: str, out: Path) -> list[Finding]:
    """Write it in the other form; what was done."""
    model = checkpoint.files.model
    assert model is not None
    if checkpoint.files.nanochat:
        return nanochat(checkpoint, form, out)
    if out.suffix != f".{form}":
        raise UsageProblem(f"--out {out} does not end with .{form}, and that form was asked for: name such a file")
    if form == "safetensors":
        tensors, structure = tensorfiles.pack(checkpoint.whole, model)
        tensorfiles.save_safetensors(out, tensors, {tensorfiles.STRUCTURE: structure, "format": "pt"})
        what = f"{len(tensors)} tensors, and the settings in the file's head"
    else:
        tensorfiles.save_pt(out, checkpoint.whole)
        what = "with the keys that it had" if isinstance(checkpoint.whole, dict) else "as it was"
    return [Finding("good", f"{out} was written: {what}", f"{out.stat().st_size:,} bytes")]


def nanochat(checkpoint: Checkpoint, form: str, out: Path) -> list[Finding]:
    """Write the model and the meta file of a step into a new folder."""
    files = checkpoint.files
    if out.exists():
        raise UsageProblem(f"{out} is there already, and nothing is overwritten: name a new folder with --out")
    model = out / f"model_{files.step:06d}.{form}"
    if form == "safetensors":
        tensorfiles.save_safetensors(model, apart(checkpoint.weights), {})
    else:
        tensorfiles.save_pt(model, checkpoint.weights)
    left = ("files", "sha256", "format") if checkpoint.meta.get("format") == OURS else ()
    meta = {key: value for key, value in checkpoint.meta.items() if key not in left}
    tensorfiles.save_json(out / f"meta_{files.step:06d}.json", meta)
    return [
        Finding("good", f"{out} has the model and its settings", f"{model.name}, {model.stat().st_size:,} bytes"),
        Finding(
            "note", "The optimizer is not converted", "its memories stand in another order in each code",
            "go on with --resume where it was trained",
        ),
    ]
