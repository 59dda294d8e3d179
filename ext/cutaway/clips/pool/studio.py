"""The process beside this one that has Manim imported, and forks for each scene that it is asked for."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
SINGLE["PYTHONHASHSEED"] = "0"  # Manim goes through sets here and there: the same scene, the same bytes


class StudioEnded(ConnectionError):
    """The process that draws ended before its answer."""


class Studio:
    """``draw(job)`` has a scene drawn and waits for it; threads may ask at the same time.

    The process starts with the first job and again after it died. It ends with us, whatever happens: it notices the
    end of its standard input.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._asked: dict[int, Future[dict[str, Any]]] = {}
        self._number = 0
        self._closed = False

    def draw(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """What ``filming.worker`` says of a job when it has ended; StudioEnded where it can't say any more."""
        answer: Future[dict[str, Any]] = Future()
        with self._lock:
            child = self._started()  # may begin a new list of what is asked
            self._number += 1
            self._asked[self._number] = answer
            assert child.stdin
            try:
                child.stdin.write(json.dumps({**job, "number": self._number}).encode() + b"\n")
                child.stdin.flush()  # and it stays open
            except OSError as error:
                raise StudioEnded(f"the process that draws the clips is gone: {error}") from error
        return answer.result()

    def close(self) -> None:
        """End the process and everything that it forked."""
        with self._lock:
            self._closed = True
            if self._child:
                _end(self._child)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise StudioEnded("the process that draws the clips was ended")
        if self._child is None or self._child.poll() is not None:
            self._asked = {}
            self._child = subprocess.Popen(
                [sys.executable, "-m", "cutaway.clips.scene.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, **SINGLE, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
                start_new_session=True,  # so that Ctrl-C reaches us alone, and ending the group ends every fork
            )
            threading.Thread(target=self._listen, args=(self._child, self._asked), daemon=True).start()
        return self._child

    def _listen(self, child: subprocess.Popen[bytes], asked: dict[int, Future[dict[str, Any]]]) -> None:
        assert child.stdin and child.stdout
        with child.stdout as lines:
            for line in lines:
                if line.endswith(b"\n"):  # it did not die while it wrote
                    message = json.loads(line)
                    with self._lock:
                        answer = asked.pop(message["number"])
                    answer.set_result(message)
        with self._lock:
            _end(child)  # the scenes that it left behind, too
            if self._child is child:
                self._child = None
            with contextlib.suppress(OSError):
                child.stdin.close()
        for answer in asked.values():
            answer.set_exception(StudioEnded("the process that draws the clips ended before its time"))


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


_here = threading.local()
_lasting: dict[int, Studio] = {}  # by process: a fork of ours must not talk to its parent's
_starting = threading.Lock()


def work_in(studio: Studio) -> None:
    """From here on, jobs of this thread are drawn there."""
    _here.studio = studio


def studio_here() -> Studio:
    """This thread's studio, or the process's own, which stays warm for the next job and ends with the process."""
    if found := getattr(_here, "studio", None):
        return found
    with _starting:
        if os.getpid() not in _lasting:
            _lasting[os.getpid()] = Studio()
            atexit.register(_lasting[os.getpid()].close)
        return _lasting[os.getpid()]
