"""The lane without an engine: jobs that only say that they ran."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from engine.progress import no_tick
from server.jobs import Job, Lane


@pytest.fixture
def lane() -> Iterator[Lane]:
    lane = Lane()
    yield lane
    lane.close()


def test_a_live_job_replaces_only_a_waiting_one_of_its_owner_and_picture(lane: Lane) -> None:
    ran: list[str] = []
    cancelled: list[str] = []
    go, last = threading.Event(), threading.Event()

    def job(name: str, owner: str, live: str = "") -> Job:
        return Job(
            owner=owner,
            number=1,
            live=live,
            work=lambda tick: ran.append(name),
            report=no_tick,
            cancelled=lambda: cancelled.append(name),
        )

    first = job("first", "a")
    first.work = lambda tick: ran.append(str(go.wait(30)))
    lane.submit(first)
    waiting = [("old", "a", "sea"), ("other photo", "a", "hill"), ("other owner", "b", "sea")]
    for name, owner, live in [*waiting, ("new", "a", "sea")]:
        lane.submit(job(name, owner, live))
    end = job("end", "a")
    end.work = lambda tick: last.set()
    lane.submit(end)
    go.set()

    assert last.wait(30)
    assert cancelled == ["old"]
    assert ran == ["True", "other photo", "other owner", "new"]
