"""One model and those who wait for it: one thread runs the model, each waits for its turn, and the line has an end."""

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future, ThreadPoolExecutor
from math import ceil

from nanochat.chat.turns import Answer, Piece

log = logging.getLogger("nanochat.cli.web")


class LineFull(Exception):
    """Nobody else can wait; in so many ``seconds`` somebody will probably have gone."""

    def __init__(self, waiting: int, seconds: int) -> None:
        others = "one more waits" if waiting == 1 else f"{waiting} others wait"
        super().__init__(f"the model is busy, and {others} for it already: try again in {seconds} s")
        self.seconds = seconds


class Ticket:
    """A place in the line, and what comes out of it: pieces, and at the end None or an error."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.loop = asyncio.get_running_loop()
        self.coming: asyncio.Queue[Piece | Exception | None] = asyncio.Queue()
        self.turn: Future[None] | None = None

    def send(self, what: Piece | Exception | None) -> None:
        """Hand over from the model's thread. At shutdown there may be nobody any more to hand over to."""
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.coming.put_nowait, what)

    async def pieces(self, patience: float) -> AsyncIterator[Piece | None]:
        """The answer's pieces, and None where nothing came for ``patience`` seconds. Raises what the model raised."""
        while True:
            try:
                what = await asyncio.wait_for(self.coming.get(), patience)
            except TimeoutError:
                yield None
                continue
            if isinstance(what, Exception):
                raise what
            if what is None:
                return
            yield what

    def leave(self) -> None:
        """Give up the place, or stop the model at its next token. Nothing happens where the answer has ended."""
        self.answer.stop()
        if self.turn is not None:
            self.turn.cancel()


class Line:
    """Whoever enters gets a ticket; the model's one thread serves them in their order."""

    def __init__(self, places: int) -> None:
        self.places = places
        self.thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self.lock = threading.Lock()  # what follows is counted in several threads
        self.tickets: set[Ticket] = set()
        self.counts = {"answers": 0, "stopped": 0, "errors": 0, "tokens": 0}
        self.seconds = 0.0

    def enter(self, answer: Answer) -> Ticket:
        """A ticket for an answer; :class:`LineFull` where one is being written and ``places`` others wait."""
        ticket = Ticket(answer)
        with self.lock:
            if len(self.tickets) > self.places:
                finished = self.counts["answers"] + self.counts["stopped"]
                raise LineFull(self.places, max(1, ceil(self.seconds / max(1, finished))))
            self.tickets.add(ticket)
        ticket.turn = self.thread.submit(self.serve, ticket)
        ticket.turn.add_done_callback(lambda _: self.gone(ticket))
        return ticket

    def gone(self, ticket: Ticket) -> None:
        """Its place is free."""
        with self.lock:
            self.tickets.discard(ticket)

    def serve(self, ticket: Ticket) -> None:
        """Write an answer, in the model's thread."""
        answer, started = ticket.answer, time.perf_counter()
        outcome: Exception | None = None
        try:
            for piece in answer:
                ticket.send(piece)
        except Exception as error:  # whatever it is, the next one in the line is to be served
            log.exception("an answer failed after %d tokens", len(answer.ids))
            outcome = error
        ended = "errors" if outcome else "stopped" if answer.reason == "stopped" else "answers"
        with self.lock:
            self.counts[ended] += 1
            self.counts["tokens"] += len(answer.ids)
            self.seconds += time.perf_counter() - started
        self.gone(ticket)  # before the client learns that it has ended, and asks again
        ticket.send(outcome)

    def stats(self) -> dict[str, int | float]:
        """How many are there now, and what was done since the start."""
        with self.lock:
            now = len(self.tickets)
            shares = {"running": min(now, 1), "waiting": max(now - 1, 0), "places": self.places}
            return {**shares, **self.counts, "seconds": round(self.seconds, 3)}

    def close(self) -> None:
        """Stop all answers and the thread."""
        with self.lock:
            tickets = list(self.tickets)
        for ticket in tickets:
            ticket.leave()
        self.thread.shutdown(cancel_futures=True)
