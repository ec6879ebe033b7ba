"""Work off GIMP's thread: one call at a time, and of those of the same name only the newest waits.

What runs is never interrupted by something newer, so that a slow computer shows results, too.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any, Callable, Optional

Post = Callable[[Callable[[], None]], None]  # have something run on GIMP's thread, soon


@dataclass(frozen=True)
class Task:
    """work: runs on the worker's thread. done, failed: run on GIMP's thread afterwards."""

    work: Callable[[], Any]
    done: Callable[[Any], None]
    failed: Callable[[Exception], None]


class Worker:
    """A thread and at most one waiting task for each name."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._waiting: dict[str, Task] = {}
        self._changed = threading.Condition()
        self._running: Optional[str] = None  # noqa: UP045
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="tincture-worker", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        with self._changed:
            return self._running is not None or bool(self._waiting)

    def do(self, name: str, task: Task) -> None:
        """Have a task done; one of the same name that still waits is forgotten."""
        with self._changed:
            self._waiting[name] = task
            self._changed.notify()

    def end(self) -> None:
        """Take no more work, and post no more answers. Does not wait for what runs."""
        with self._changed:
            self._ended = True
            self._waiting.clear()
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._running = None
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                self._running = next(iter(self._waiting))
                task = self._waiting.pop(self._running)
            answer = _attempt(task)
            with self._changed:
                if self._ended:
                    return
            self._post(answer)


def _attempt(task: Task) -> Callable[[], None]:
    """Do a task's work. Returns what is left to do on GIMP's thread."""
    try:
        result = task.work()
    except Exception as error:
        failure = error  # the name of an `except` ends with its block
        return lambda: task.failed(failure)
    return lambda: task.done(result)
