"""Moving pictures: the book's clips by topic, or one of the reader's own log, checkpoint or data."""

import argparse
import sys
from pathlib import Path
from typing import Any

from fieldguide.report import Finding, Report, UsageProblem
from fieldguide.visualize import clips_listed, rendering

HELP = "draw a log, a checkpoint or data as MP4, GIF or WebM; without a topic, list the book's clips"
TOPICS = {  # what is drawn of which file
    "loss": "the course of a log, with what `fieldguide loss` marks in it",
    "attention": "the weights of a checkpoint's head for a text",
    "scaling": "sizes against losses, of several logs or checkpoints",
    "architecture": "the parts of a checkpoint, their shapes and parameters",
    "data": "a .bin of tokens in batches, or documents by their lengths",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The topic, the files, and where the picture goes."""
    told = "; ".join(f"{name}: {what}" for name, what in TOPICS.items())
    parser.add_argument("topic", nargs="?", choices=tuple(TOPICS), help=f"{told} (default: list the book's clips)")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="the reader's own, or its folder")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write; the suffix says what: .mp4, .webm, .gif, .png"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the file where it is there already")
    parser.add_argument("--theme", choices=("dark", "light"), default="dark", help="colours (default: dark)")
    parser.add_argument("--quality", metavar="1080p60", default="720p30", help="height and frames (default: 720p30)")
    parser.add_argument(
        "--book",
        type=Path,
        metavar="DIR",
        help="of the list: the book's docs folder, or what was "
        "built of it (default: found from the program or from here)",
    )
    parser.add_argument("--step", type=int, metavar="N", help="of a checkpoint: its step (default: the newest)")
    group = parser.add_argument_group("attention")
    group.add_argument("--text", metavar="TEXT", help="what the model reads")
    group.add_argument("--ids", metavar="1,2,3", help="its tokens instead of a text")
    group.add_argument(
        "--tokenizer",
        type=Path,
        metavar="FOLDER",
        help="with meta.pkl or tokenizer.json (default: beside the checkpoint, or data/DATASET)",
    )
    group.add_argument("--layer", type=int, default=0, metavar="N", help="(default: 0, the first)")
    group.add_argument("--head", type=int, default=0, metavar="N", help="(default: 0, the first)")
    group = parser.add_argument_group("scaling")
    group.add_argument("--sizes", metavar="N,N,...", help="parameters of each FILE, where a log does not say them")
    group = parser.add_argument_group("data")
    group.add_argument("--dtype", choices=("uint16", "uint32"), default="uint16", help="of .bin (default: uint16)")


def run(options: argparse.Namespace) -> Report:
    """List the clips, or draw one."""
    if options.topic is None:
        return clips_listed.report(options.book)
    if options.out is None:
        raise UsageProblem(
            f"visualize {options.topic}: --out is missing; name a file that ends with {', '.join(rendering.KINDS)}"
        )
    if not options.files or (len(options.files) > 1 and options.topic != "scaling"):
        wanted = "two files or more" if options.topic == "scaling" else "one file"
        raise UsageProblem(f"visualize {options.topic}: {len(options.files)} files were named, {wanted} are needed")
    rendering.refuse_early(options.out, options.overwrite, options.quality)
    drawing = drawing_of(options)
    if sys.stderr.isatty():
        print(f"fieldguide visualize: drawing {options.out}; this takes about half a minute", file=sys.stderr)
    made = rendering.render(options.topic, drawing, options.out, options.overwrite, options.theme, options.quality)
    what = f"{made.kind} of {made.seconds:.1f} s" if made.seconds else made.kind
    return Report(
        f"{options.topic} of {', '.join(map(str, options.files[:3]))}",
        [Finding("good", f"{options.out} is written: {what}, {made.size[0]} by {made.size[1]} pixels",
                 f"{made.bytes:,} bytes")],
        data={"file": str(options.out), "seconds": made.seconds, "size": list(made.size), "shown": drawing},
    )  # fmt: skip


def drawing_of(options: argparse.Namespace) -> dict[str, Any]:
    """What the scene is to show, taken from the files."""
    if options.topic == "loss":
        from fieldguide.visualize.from_log import course

        return course(options.files[0])
    if options.topic == "scaling":
        from fieldguide.visualize.from_several import sizes_and_losses

        return sizes_and_losses(options.files, options.sizes)
    if options.topic == "architecture":
        from fieldguide.visualize.from_checkpoint import architecture

        return architecture(options.files[0], options.step)
    if options.topic == "attention":
        from fieldguide.visualize.from_model import attention

        return attention(options)
    from fieldguide.visualize.from_data import contents

    return contents(options.files[0], int(options.dtype.removeprefix("uint")) // 8)
