"""One lane for the work: jobs run one after the other, and the newest live one wins."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from engine.progress import Cancelled, Tick

MAX_WAITING = 64
log = logging.getLogger(__name__)


class LaneFull(Exception):
    """So many jobs wait already that one more is refused."""


@dataclass(eq=False)
class Job:
    """A piece of work that ends in exactly one answer.

    work: gets a tick that raises Cancelled once the job is cancelled, and answers by itself.
    cancelled: called instead when the job ends without a result.
    """

    owner: object  # the connection it belongs to
    number: int  # the request's id
    live: str  # the picture's key for a preview; the owner's next one of that key takes its place
    work: Callable[[Tick], None]
    report: Tick
    cancelled: Callable[[], None]
    stop: threading.Event = field(default_factory=threading.Event)

    def tick(self, fraction: float) -> None:
        if self.stop.is_set():
            raise Cancelled
        self.report(fraction)


class Lane:
    """A worker thread and the jobs that wait for it."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._running: Job | None = None
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="tincture-jobs", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        with self._changed:
            return self._running is not None or bool(self._waiting)

    def submit(self, job: Job) -> None:
        """Put a job in line. Raises LaneFull."""
        with self._changed:
            replaced = [
                waiting
                for waiting in self._waiting
                if job.live and waiting.owner is job.owner and waiting.live == job.live
            ]
            for old in replaced:
                self._waiting.remove(old)
            if len(self._waiting) >= MAX_WAITING:
                raise LaneFull
            self._waiting.append(job)
            self._changed.notify()
        for old in replaced:
            old.cancelled()

    def cancel(self, owner: object, number: int | None = None) -> None:
        """Cancel one job of an owner, or all of them."""
        with self._changed:
            mine = [
                job
                for job in (*self._waiting, self._running)
                if job and job.owner is owner and number in (None, job.number)
            ]
            waiting = [job for job in mine if job is not self._running]
            for job in waiting:
                self._waiting.remove(job)
            for job in mine:
                job.stop.set()
        for job in waiting:
            job.cancelled()

    def close(self) -> None:
        """Take no more work; what runs is cancelled."""
        with self._changed:
            self._ended = True
            if self._running:
                self._running.stop.set()
            self._changed.notify()
        self._thread.join(10)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                self._running = job = self._waiting.popleft()
            try:
                job.work(job.tick)
            except Cancelled:
                job.cancelled()
            finally:
                with self._changed:
                    self._running = None
