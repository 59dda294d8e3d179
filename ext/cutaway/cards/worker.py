"""The process that draws cards and writes clips as files, and forks for each core: ``python -m
cutaway.cards.worker``, jobs on standard input.

A line of JSON on standard output for each job that is done: its number, and what went wrong, if anything did.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from PIL import Image

from ..store import replacing
from ..theme.dimensions import adopt
from . import card
from .badge import badge


def main() -> int:
    request = json.load(sys.stdin)
    adopt(request["dimensions"])
    jobs = list(enumerate(request["jobs"]))
    # Clips first: each takes a hundred times as long as a card.
    jobs.sort(key=lambda job: not {"animated", "film"} & job[1].keys())
    forks = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(min(request["workers"], len(jobs)), forks, _end_with_parent) as pool:
        for done in as_completed([pool.submit(_perform, *job) for job in jobs]):
            number, error = done.result()  # BrokenProcessPool ends this process where one of the forks was killed
            print(json.dumps({"done": number, "error": error}), flush=True)
    return 0


def _end_with_parent() -> None:
    """A fork whose parent was killed would wait for work for ever: each of them holds the queue open for the others."""
    parent = multiprocessing.parent_process()
    assert parent

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _perform(number: int, wanted: dict[str, Any]) -> tuple[int, str]:
    try:
        if "animated" in wanted:
            _animate(wanted)
        elif "film" in wanted:
            _film(wanted)
        elif "badge" in wanted:
            _write(wanted, badge(*wanted["badge"]).encode())
        else:
            _draw(wanted)
    except Exception as error:  # one card is no reason to lose the others
        return number, f"{type(error).__name__}: {error}"
    return number, ""


def _draw(job: dict[str, Any]) -> None:
    kind, title, chapter, book, words, picture = job["card"]
    with Image.open(job["still"]) if job["still"] else nullcontext() as still:
        data = card.png(card.draw(card.Card(kind, title, chapter, book, words, json.loads(picture)), still))
    _write(job, data)


def _write(job: dict[str, Any], data: bytes) -> None:
    with replacing(Path(job["to"])) as temporary:
        temporary.write_bytes(data)


def _animate(job: dict[str, Any]) -> None:
    from ..clips.raster.animated import CARD, animate  # cards need neither cairo nor av
    from ..clips.raster.film import for_card

    shots, fps = for_card(Path(job["animated"]))
    for kind, path in job["to"].items():
        with replacing(Path(path)) as temporary:
            animate(shots, fps, temporary, kind, CARD)


def _film(job: dict[str, Any]) -> None:
    from ..clips.raster import film

    with replacing(Path(job["to"])) as temporary:
        film.write(Path(job["film"]), temporary, job["kind"], tuple(job["size"]))


if __name__ == "__main__":
    sys.exit(main())
