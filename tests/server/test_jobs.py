"""The lane without an engine: jobs that only say that they ran."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from engine.progress import Tick, no_tick
from server.jobs import Job, Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane.close()


@dataclass
class Told:
    """What jobs of some names told, in order."""

    ran: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    def job(self, name: str, owner: str, live: str = "", number: int = 1) -> Job:
        return Job(
            owner=owner,
            number=number,
            live=live,
            work=lambda tick: self.ran.append(name),
            report=no_tick,
            cancelled=lambda: self.cancelled.append(name),
        )


def test_a_live_job_replaces_only_a_waiting_one_of_its_owner_and_picture(lane: Lane) -> None:
    told = Told()
    go, last = threading.Event(), threading.Event()
    first, end = told.job("first", "a"), told.job("end", "a")
    first.work = lambda tick: told.ran.append(str(go.wait(30)))
    end.work = lambda tick: last.set()

    lane.submit(first)
    waiting = [("old", "a", "sea"), ("other photo", "a", "hill"), ("other owner", "b", "sea")]
    for name, owner, live in [*waiting, ("new", "a", "sea")]:
        lane.submit(told.job(name, owner, live))
    lane.submit(end)
    go.set()

    assert last.wait(30)
    assert told.cancelled == ["old"]
    assert told.ran == ["True", "other photo", "other owner", "new"]


def test_a_waiting_job_that_is_cancelled_says_so_at_once_and_only_once(lane: Lane) -> None:
    told = Told()
    begun, go, last = threading.Event(), threading.Event(), threading.Event()
    first, end = told.job("first", "a"), told.job("end", "b")
    end.work = lambda tick: last.set()

    def wait(tick: Tick) -> None:
        begun.set()
        told.ran.append(str(go.wait(30)))

    first.work = wait
    lane.submit(first)
    assert begun.wait(30)
    for name, owner, number in (("mine", "a", 2), ("another", "a", 3), ("yours", "b", 2)):
        lane.submit(told.job(name, owner, number=number))
    lane.submit(end)
    lane.cancel("a", 2)

    assert told.cancelled == ["mine"]
    go.set()
    assert last.wait(30)
    assert told.cancelled == ["mine"]
    assert told.ran == ["True", "another", "yours"]
