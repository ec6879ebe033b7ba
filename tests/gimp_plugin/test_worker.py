"""Work beside GIMP's thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from gimp_plugin.worker import Task, Worker


class MainThread:
    """GIMP's thread: runs what is posted, when it is told to."""

    def __init__(self) -> None:
        self.posted: queue.Queue[Callable[[], None]] = queue.Queue()

    def run_one(self) -> None:
        self.posted.get(timeout=60)()


@pytest.fixture
def main() -> MainThread:
    return MainThread()


@pytest.fixture
def worker(main: MainThread) -> Iterator[Worker]:
    worker = Worker(main.posted.put)
    yield worker
    worker.end()


def unexpected(error: Exception) -> None:
    raise error


def test_of_one_name_only_the_newest_waits(worker: Worker, main: MainThread) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[int] = []

    def first() -> int:
        begun.set()
        go_on.wait(60)
        return 1

    worker.do("colorize", Task(first, done.append, unexpected))
    begun.wait(60)
    worker.do("colorize", Task(lambda: 2, done.append, unexpected))
    worker.do("themes", Task(lambda: 7, done.append, unexpected))
    worker.do("colorize", Task(lambda: 3, done.append, unexpected))
    go_on.set()
    for _ in range(3):
        main.run_one()

    assert done == [1, 3, 7]


def test_answers_run_on_the_main_thread(worker: Worker, main: MainThread) -> None:
    seen: list[object] = []

    def done(work_thread: object) -> None:
        seen.extend((work_thread, threading.current_thread()))

    worker.do("a", Task(threading.current_thread, done, unexpected))
    main.run_one()

    assert seen[0] is not seen[1] and seen[1] is threading.current_thread()


def test_an_error_is_handed_over(worker: Worker, main: MainThread) -> None:
    errors: list[Exception] = []

    worker.do("a", Task(lambda: 1 // 0, unexpected, errors.append))
    main.run_one()

    assert isinstance(errors[0], ZeroDivisionError)


def test_after_the_end_nothing_is_posted(main: MainThread) -> None:
    worker = Worker(main.posted.put)
    begun, go_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        go_on.wait(60)

    worker.do("a", Task(work, unexpected, unexpected))
    begun.wait(60)
    worker.end()
    go_on.set()
    worker._thread.join(60)

    assert not worker._thread.is_alive() and main.posted.empty()
