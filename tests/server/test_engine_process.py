"""A real engine process over a real socket."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.color import rgb2lab

from engine.colorizer import Colorizer
from server.handlers import Handlers, Reply
from server.listener import Listener
from server.protocol import (
    PROTOCOL,
    VERSION,
    frames,
    handshake,
    launcher,
    messages,
    places,
    rendezvous,
)
from server.protocol.client import (
    Client,
    EngineError,
    EngineGone,
    EngineMissing,
    JobCancelled,
    connect,
)
from server.protocol.messages import ColorizeRequest, Dot, HintStrip
from tests.conftest import ROOT, install_here

RED = "#c81e28"


def opened(engine: Client, gray: np.ndarray) -> str:
    height, width = gray.shape[:2]
    dtype = {np.dtype("u1"): "U8", np.dtype("u2"): "U16", np.dtype("f4"): "F32"}[gray.dtype]
    return engine.open_picture(gray.data, width, height, 1 if gray.ndim == 2 else 2, dtype)


def pixels(result: messages.ColorizeResult) -> np.ndarray:
    dtype = {"U8": np.uint8, "U16": np.uint16, "F32": np.float32}[result.dtype]
    shape = (result.height, result.width, result.channels)
    return np.frombuffer(result.pixels, dtype).reshape(shape)


def ended(process_id: int) -> bool:
    """Wait for a process that is not our child to end."""
    for _ in range(200):
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            return True
        state = Path(f"/proc/{process_id}/stat")
        if state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_a_photo_comes_back_in_colour_at_its_own_size(engine: Client, gray: np.ndarray) -> None:
    seen: list[float] = []

    result = engine.colorize(ColorizeRequest(opened(engine, gray)), seen.append)

    rgb = pixels(result)
    assert rgb.shape == (*gray.shape, 3) and rgb.dtype == np.uint8
    assert np.ptp(rgb.astype(int), axis=-1).mean() > 2
    assert seen and all(0 <= fraction <= 1 for fraction in seen)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
def test_precision_is_kept(dtype: type, gray: np.ndarray, engine: Client) -> None:
    deep = gray.astype(np.float32) / 255 if dtype is np.float32 else gray.astype(dtype) * 257

    assert pixels(engine.colorize(ColorizeRequest(opened(engine, deep)))).dtype == dtype


def test_alpha_is_carried_through(engine: Client, gray: np.ndarray) -> None:
    alpha = np.tile(np.linspace(0, 255, gray.shape[1]).astype(np.uint8), (gray.shape[0], 1))

    rgba = pixels(engine.colorize(ColorizeRequest(opened(engine, np.dstack((gray, alpha))))))

    assert np.array_equal(rgba[..., 3], alpha)


def test_a_photo_travels_once(engine: Client, gray: np.ndarray) -> None:
    opened(engine, gray)
    opened(engine, gray)

    assert engine.status()["pictures"] == 1


def test_a_theme_changes_the_picture_and_is_answered(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, gray)
    plain = pixels(engine.colorize(ColorizeRequest(key)))

    result = engine.colorize(ColorizeRequest(key, theme=("#2040a0", "#406080", "#8090c0")))

    assert np.abs(pixels(result).astype(int) - plain).mean() > 3
    assert result.theme == ("#2040a0", "#406080", "#8090c0")


def test_a_color_with_a_larger_share_gets_more_of_the_picture(
    engine: Client, gray: np.ndarray
) -> None:
    key, blue_and_red = opened(engine, gray), ("#2040a0", "#a03010")

    def bluish(shares: tuple[float, ...]) -> float:
        result = engine.colorize(ColorizeRequest(key, theme=blue_and_red, shares=shares))
        assert result.theme == blue_and_red and result.shares == shares
        rgb = pixels(result).astype(int)
        return float((rgb[..., 2] > rgb[..., 0]).mean())

    assert bluish((0.8, 0.2)) > bluish((0.2, 0.8)) + 0.3


def test_equal_colors_add_their_shares_up(engine: Client, gray: np.ndarray) -> None:
    request = ColorizeRequest(
        opened(engine, gray), theme=("#a03010", "#2040a0", "#a03010"), shares=(0.25, 0.5, 0.25)
    )

    result = engine.colorize(request)

    assert result.theme == ("#a03010", "#2040a0") and result.shares == (0.5, 0.5)


def test_a_large_palette_is_reduced_and_that_is_said(engine: Client, gray: np.ndarray) -> None:
    palette = tuple(f"#{i:02x}{255 - i:02x}{i * 7 % 256:02x}" for i in range(256))

    result = engine.colorize(ColorizeRequest(opened(engine, gray), theme=palette))

    assert len(result.theme) == 7
    assert any("256 colours" in note for note in result.notes)


def test_a_huge_palette_travels(engine: Client, gray: np.ndarray) -> None:
    palette = tuple(f"#{i:06x}" for i in range(0, 65_536 * 200, 200))

    result = engine.colorize(ColorizeRequest(opened(engine, gray), theme=palette, preview_side=64))

    assert len(result.theme) == 7
    assert result.notes == ("The palette has 65536 colours; it was reduced to 7.",)


@pytest.mark.parametrize(
    ("theme", "used"), [(("#A03010",), 1), (("#808080", "#303030", "#808080"), 2)]
)
def test_few_and_grey_colours_are_used_and_that_is_said(
    engine: Client, gray: np.ndarray, theme: tuple[str, ...], used: int
) -> None:
    result = engine.colorize(ColorizeRequest(opened(engine, gray), theme=theme))

    assert len(result.theme) == used
    assert "fewer than 3 colours" in result.notes[0]


def test_themes_are_recommended_with_thumbnails(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, gray)

    themes = engine.recommend_themes(key, 6, 120)
    plain = engine.recommend_themes(key)

    assert [theme.colors for theme in themes] == [theme.colors for theme in plain]
    assert len({theme.colors for theme in themes}) == 6
    assert all(theme.pixels is None for theme in plain)
    shown = [np.frombuffer(theme.pixels or b"", np.uint8).astype(int) for theme in themes]
    assert {(theme.width, theme.height) for theme in themes} == {(120, 80)}
    assert min(np.abs(a - b).mean() for a, b in pairwise(shown)) > 1
    with pytest.raises(EngineError) as error:
        engine.recommend_themes(key, 6, 100_000)
    assert error.value.code == messages.INVALID_PARAMS


@pytest.mark.parametrize("side", [1, 8])
def test_themes_are_recommended_for_flat_and_tiny_photos(engine: Client, side: int) -> None:
    key = opened(engine, np.full((side, side), 90, np.uint8))

    assert [(theme.width, theme.height) for theme in engine.recommend_themes(key, 6, 64)] == (
        [(side, side)] * 6
    )


def test_a_dot_gets_its_colour(engine: Client, gray: np.ndarray) -> None:
    result = engine.colorize(
        ColorizeRequest(opened(engine, gray), dots=(Dot(300.5, 60.5, 4, RED),))
    )

    (report,) = result.dots
    assert report.asked == RED
    assert report.delta_e < 3
    r, g, b = (int(v) for v in pixels(result)[60, 300])
    assert r > g and r > b


def test_a_painted_layer_is_read_across_strips(engine: Client, gray: np.ndarray) -> None:
    layer = np.zeros((400, 600, 4), np.uint8)
    layer[60:68, 100:108] = (200, 30, 40, 255)
    strips = tuple(HintStrip(0, top, 600, 64, layer[top : top + 64].tobytes()) for top in (0, 64))

    result = engine.colorize(ColorizeRequest(opened(engine, gray), hint_strips=strips))

    assert [(dot.x, dot.y, dot.asked) for dot in result.dots] == [(104.0, 64.0, RED)]


def test_a_layer_that_holds_a_picture_is_refused(
    engine: Client, gray: np.ndarray, coffee: np.ndarray
) -> None:
    """Reading it as dots would take minutes and answer nonsense."""
    layer = np.dstack((coffee, np.full(coffee.shape[:2], 255, np.uint8)))
    strip = HintStrip(0, 0, 600, 400, layer.tobytes())

    with pytest.raises(EngineError, match="a picture, not dots"):
        engine.colorize(ColorizeRequest(opened(engine, gray), hint_strips=(strip,)))


def test_a_strip_without_pixels_is_refused(engine: Client, gray: np.ndarray) -> None:
    request = ColorizeRequest(opened(engine, gray), hint_strips=(HintStrip(0, 0, 0, 0, b""),))

    with pytest.raises(EngineError, match="at least one pixel"):
        engine.colorize(request)


def test_as_many_dots_as_are_allowed_are_all_reported(engine: Client, gray: np.ndarray) -> None:
    dots = tuple(Dot(n % 600 + 0.123, n // 600 + 0.456, 0.5, RED) for n in range(messages.MAX_DOTS))

    result = engine.colorize(ColorizeRequest(opened(engine, gray), dots=dots))

    assert len(result.dots) == messages.MAX_DOTS


def test_an_answer_that_cannot_be_sent_does_not_stop_the_work(
    gray: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = handshake.new_token()
    handlers = Handlers(Colorizer.load())
    listener = Listener(handlers, token)
    endless = {messages.THEME_OF: lambda *_: Reply({"words": "x" * frames.MAX_HEADER}, {})}
    monkeypatch.setattr(handlers, "in_lane", {**handlers.in_lane, **endless})
    meeting = rendezvous.Rendezvous(os.getpid(), listener.port, token, PROTOCOL, VERSION)
    try:
        with connect(meeting) as client:
            with pytest.raises(EngineError, match="an error of its own"):
                client.theme_of(bytes(3), 1, 1)
            assert opened(client, gray)
    finally:
        listener.close()


def test_a_listener_outlives_a_shortage_of_files(caplog: pytest.LogCaptureFixture) -> None:
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    token = handshake.new_token()
    listener = Listener(Handlers(Colorizer.load()), token)
    meeting = rendezvous.Rendezvous(os.getpid(), listener.port, token, PROTOCOL, VERSION)
    try:
        with socket.socket() as last:
            resource.setrlimit(resource.RLIMIT_NOFILE, (3, limit[1]))  # no more than there are
            try:
                last.connect(("127.0.0.1", listener.port))
                end = time.monotonic() + 10
                while "could not take" not in caplog.text and time.monotonic() < end:
                    time.sleep(0.02)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
        with connect(meeting) as client:
            assert client.status()["connections"] >= 1
        assert "could not take" in caplog.text
    finally:
        listener.close()


def test_a_theme_is_taken_from_8_bit_photos_only(engine: Client) -> None:
    floats = frames.Array("F32", (1, 1, 3), memoryview(bytes(12)))

    with pytest.raises(EngineError, match="8-bit"):
        engine.call(messages.THEME_OF, {"count": 0}, {"rgb": floats})


def test_dots_outside_the_photo_are_left_out_and_that_is_said(
    engine: Client, gray: np.ndarray
) -> None:
    result = engine.colorize(ColorizeRequest(opened(engine, gray), dots=(Dot(-9, 5, 4, RED),)))

    assert result.dots == ()
    assert result.notes == ("1 of 1 dots lie outside the photo and were left out.",)


def test_a_preview_has_the_size_asked_for(engine: Client, gray: np.ndarray) -> None:
    result = engine.colorize(ColorizeRequest(opened(engine, gray), preview_side=150))

    assert (result.width, result.height, result.dtype) == (150, 100, "U8")


@pytest.mark.parametrize("side", [1, 2, 7])
def test_tiny_photos_are_coloured_too(engine: Client, side: int) -> None:
    result = engine.colorize(ColorizeRequest(opened(engine, np.full((side, 1), 90, np.uint8))))

    assert (result.height, result.width) == (side, 1)


def test_the_theme_of_a_photo(engine: Client, coffee: np.ndarray) -> None:
    theme = engine.theme_of(coffee.data, 600, 400, 5)

    assert len(theme.colors) == 5
    assert sum(theme.shares) == pytest.approx(1)


def test_a_transparent_photo_is_refused_with_a_reason(engine: Client) -> None:
    with pytest.raises(EngineError, match="fully transparent"):
        opened(engine, np.zeros((8, 8, 2), np.uint8))


def test_an_unknown_picture_is_refused(engine: Client) -> None:
    with pytest.raises(EngineError) as error:
        engine.colorize(ColorizeRequest("0" * 40))

    assert error.value.code == messages.UNKNOWN_PICTURE


def test_an_unknown_method_is_refused(engine: Client) -> None:
    with pytest.raises(EngineError, match="knows no 'dance'"):
        engine.call("dance", {})


@pytest.mark.parametrize(
    "params",
    [
        {"strength": 9},
        {"theme": ["red"]},
        {"theme": ["#a03010", "#204060"], "shares": [0.5]},
        {"theme": ["#a03010"], "shares": [0]},
        {"theme": ["#a03010"], "shares": [-1]},
        {"dots": [{"x": 1, "y": 1, "radius": 0, "color": "#000000"}]},
        {"dots": "many"},
        {"preview_side": 10**9},
        {"hint_strips": [[0, 0, 5, 5]]},
        {"strength": 10**400},
        {"saturation": None},
    ],
)
def test_fields_out_of_bounds_are_refused(
    engine: Client, gray: np.ndarray, params: dict[str, object]
) -> None:
    key = opened(engine, gray)

    with pytest.raises(EngineError) as error:
        engine.call(messages.COLORIZE, {"picture": key, **params})

    assert error.value.code == messages.INVALID_PARAMS


def test_pixels_that_do_not_match_their_key_are_refused(engine: Client) -> None:
    from server.protocol.frames import Array

    array = Array("U8", (2, 2), memoryview(b"1234"))
    with pytest.raises(EngineError, match="do not match"):
        engine.call(messages.OPEN_PICTURE, {"picture": "f" * 40}, {"gray": array})


def test_a_job_can_be_cancelled(engine: Client) -> None:
    key = opened(engine, np.random.default_rng(0).integers(0, 256, (4000, 3000), np.uint8))

    with pytest.raises(JobCancelled):
        engine.colorize(ColorizeRequest(key), cancelled=lambda: True)

    assert engine.colorize(ColorizeRequest(key, preview_side=64)).width == 48


def test_hanging_up_cancels_the_job(engine: Client) -> None:
    """GIMP's Cancel button kills the plug-in: nobody asks for the job to be cancelled."""
    photo = np.random.default_rng(0).integers(0, 256, (6000, 8000), np.uint8)
    with launcher.connect_or_start() as leaving:
        key = opened(leaving, photo)
        started = threading.Event()

        def ask() -> None:
            with pytest.raises(EngineGone):
                leaving.colorize(ColorizeRequest(key), lambda fraction: started.set())

        asking = threading.Thread(target=ask)
        asking.start()
        assert started.wait(30)
    asking.join(30)

    while engine.status()["busy"]:
        time.sleep(0.02)
    assert engine.status()["connections"] == 1


def test_the_newest_preview_replaces_the_waiting_one(engine: Client, gray: np.ndarray) -> None:
    large = opened(engine, np.random.default_rng(0).integers(0, 256, (3000, 3000), np.uint8))
    key = opened(engine, gray)
    started = threading.Event()
    outcome: dict[str, object] = {}

    def run(name: str, request: ColorizeRequest, sent: threading.Event) -> None:
        def not_cancelled() -> bool:
            sent.set()  # it is asked only after the request was sent
            return False

        try:
            outcome[name] = engine.colorize(
                request,
                lambda fraction: started.set(),
                cancelled=not_cancelled,
            )
        except EngineError as error:
            outcome[name] = error

    preview = ColorizeRequest(key, preview_side=64)
    threads = []
    for name, request in (("slow", ColorizeRequest(large)), ("old", preview), ("new", preview)):
        sent = threading.Event()
        threads.append(threading.Thread(target=run, args=(name, request, sent)))
        threads[-1].start()
        assert (sent if threads[1:] else started).wait(30)
    for thread in threads:
        thread.join(60)

    assert isinstance(outcome["old"], JobCancelled)
    assert isinstance(outcome["new"], messages.ColorizeResult)
    assert isinstance(outcome["slow"], messages.ColorizeResult)


def test_a_killed_engine_is_said_and_healed(home: Path, gray: np.ndarray) -> None:
    with launcher.connect_or_start() as client:
        key = opened(client, gray)
        os.kill(client.info.pid, signal.SIGKILL)
        with pytest.raises(EngineGone, match="Try again"):
            client.colorize(ColorizeRequest(key))
        assert places.rendezvous_file().exists()

    with launcher.connect_or_start() as again:
        result = again.colorize(ColorizeRequest(opened(again, gray), preview_side=64))
        assert result.width == 64


def test_a_second_start_joins_the_first(engine: Client) -> None:
    second = launcher.start(launcher.installation())

    assert second.wait(60) == 0
    with launcher.connect_or_start() as joined:
        assert joined.info.pid == engine.info.pid


def test_two_starts_at_once_make_one_engine(home: Path) -> None:
    before = len(launcher._started)
    for _ in range(2):
        launcher.start(launcher.installation())
    with launcher.connect_or_start() as client:  # starts a third one where none is ready yet
        processes = launcher._started[before:]
        others = [process for process in processes if process.pid != client.info.pid]
        assert len(others) == len(processes) - 1
        assert [process.wait(60) for process in others] == [0] * len(others)


def test_an_idle_engine_ends_and_clears_its_traces(home: Path) -> None:
    process = launcher.start(launcher.installation(), "--idle-minutes", "0.01")

    assert process.wait(60) == 0
    assert not places.rendezvous_file().exists()


def test_an_engine_that_only_strangers_call_ends(home: Path) -> None:
    process = launcher.start(launcher.installation(), "--idle-minutes", "0.01")
    end = time.monotonic() + 60
    with ExitStack() as strangers:
        while process.poll() is None and time.monotonic() < end:
            meeting = rendezvous.read(places.rendezvous_file())
            with suppress(OSError):
                if meeting:
                    address = ("127.0.0.1", meeting.port)
                    strangers.enter_context(socket.create_connection(address, 1))
            time.sleep(0.1)
        assert process.poll() == 0


def test_an_engine_without_locks_says_so(home: Path, tmp_path: Path) -> None:
    """The error of a disk that knows none is put in by hand."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "__main__.py").write_text(
        "import errno, fcntl, runpy, sys\n"
        "def flock(*_): raise OSError(errno.ENOLCK, 'No locks available')\n"
        "fcntl.flock = flock\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "del sys.modules['server']\n"
        "runpy.run_module('server', run_name='__main__')\n"
    )
    record = f'{{"python": "{sys.executable}", "root": "{tmp_path}", "version": "0"}}'
    (home / "install.json").write_text(record)

    with pytest.raises(EngineMissing, match=r"cannot be locked \(No locks available\)"):
        launcher.connect_or_start(timeout=30)


def test_shutdown_ends_the_process(home: Path) -> None:
    with launcher.connect_or_start() as client:
        process_id = client.info.pid
        client.shutdown()

    assert ended(process_id)
    assert launcher.running() is None


def test_files_are_private(engine: Client) -> None:
    assert places.rendezvous_file().stat().st_mode & 0o777 == 0o600
    assert places.state_folder().stat().st_mode & 0o777 == 0o700


def test_the_log_holds_no_token(engine: Client, gray: np.ndarray) -> None:
    opened(engine, gray)
    meeting = rendezvous.read(places.rendezvous_file())

    assert meeting is not None
    assert meeting.token not in places.log_file().read_text()


def test_a_stranger_learns_nothing(engine: Client) -> None:
    meeting = rendezvous.read(places.rendezvous_file())
    assert meeting is not None
    with socket.create_connection(("127.0.0.1", meeting.port)) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sock.settimeout(10)
        assert sock.recv(100) == b""
    assert engine.status()["connections"] >= 1


def test_a_wrong_token_is_refused(engine: Client) -> None:
    meeting = rendezvous.read(places.rendezvous_file())
    assert meeting is not None
    false = rendezvous.Rendezvous(meeting.pid, meeting.port, "0" * 64, meeting.protocol, "x")
    rendezvous.write(places.rendezvous_file(), false)

    assert launcher.running() is None
    rendezvous.write(places.rendezvous_file(), meeting)


def test_without_an_installation_the_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINCTURE_HOME", str(tmp_path))

    with pytest.raises(EngineMissing, match=r"python3 install\.py"):
        launcher.connect_or_start()


def test_an_engine_that_cannot_start_says_why(home: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "server").mkdir()
    (broken / "server" / "__main__.py").write_text("raise SystemExit('no torch here')")
    record = f'{{"python": "{sys.executable}", "root": "{broken}", "version": "0"}}'
    (home / "install.json").write_text(record)

    with pytest.raises(EngineMissing, match="no torch here"):
        launcher.connect_or_start()


def test_a_python_that_cannot_be_run_is_said(home: Path, tmp_path: Path) -> None:
    record = f'{{"python": "{tmp_path}", "root": "{tmp_path}", "version": "0"}}'
    (home / "install.json").write_text(record)

    with pytest.raises(EngineMissing, match=r"cannot be started: .*install\.py doctor"):
        launcher.connect_or_start()


def test_gimps_own_python_settings_do_not_reach_the_engine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    install_here(home)

    with launcher.connect_or_start() as client:
        assert client.info.device in ("cpu", "cuda")


def test_the_engine_does_not_import_what_only_training_needs() -> None:
    code = (
        "import sys, server.handlers, server.listener;"
        "print([m for m in ('engine.train', 'engine.evaluate', 'sklearn', 'matplotlib') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_for_a_color_layer_a_large_photo_is_colored_roughly(
    engine: Client, gray: np.ndarray
) -> None:
    """Hue and chroma are those of the full result; they come in 8 bits whatever the photo has."""
    large = cv2.resize(gray, (3000, 2000), interpolation=cv2.INTER_CUBIC)
    deep = np.ascontiguousarray(large.astype(np.uint16) * 257)
    key = opened(engine, deep)
    exact = rgb2lab(pixels(engine.colorize(ColorizeRequest(key))) / 65535)

    rough = engine.colorize(ColorizeRequest(key, color_only=True))
    dot = (Dot(700, 700, 20, RED),)
    part = engine.colorize(ColorizeRequest(key, dot, color_only=True, since=rough.name))
    other = engine.colorize(ColorizeRequest(key, dot, since=part.name))

    assert (rough.dtype, rough.width, rough.height) == ("U8", 3000, 2000)
    shown = rgb2lab(pixels(rough))
    apart = np.abs(shown[..., 1:] - exact[..., 1:]).max(-1)
    assert np.median(apart) < 1 and np.percentile(apart, 99) < 6
    assert 0 < part.width <= 3000 and part.dtype == "U8"
    assert (other.width, other.height) == (3000, 2000)  # of another kind: nothing to build on


def test_parts_of_a_color_layer_fit_the_whole(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, cv2.resize(gray, (3001, 1999), interpolation=cv2.INTER_CUBIC))
    whole = engine.colorize(ColorizeRequest(key, color_only=True))
    dot = (Dot(700, 700, 20, RED),)
    part = engine.colorize(ColorizeRequest(key, dot, color_only=True, since=whole.name))

    patched = pixels(whole).copy()
    patched[part.y : part.y + part.height, part.x : part.x + part.width] = pixels(part)
    fresh = pixels(engine.colorize(ColorizeRequest(key, dot, color_only=True)))
    assert np.abs(patched.astype(int) - fresh).max() <= 2


def test_what_changed_near_a_place_comes_first(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, cv2.resize(gray, (3000, 2000), interpolation=cv2.INTER_CUBIC))
    theme = ("#2040a0", "#406080", "#8090c0")
    whole = engine.colorize(ColorizeRequest(key))
    near = (2500.0, 500.0)

    first = engine.colorize(ColorizeRequest(key, theme=theme, since=whole.name, near=near))
    rest = engine.colorize(ColorizeRequest(key, theme=theme, since=first.name))

    assert first.more and not whole.more and not rest.more
    assert first.width * first.height < 3000 * 2000 / 3
    assert first.x < 2500 < first.x + first.width and first.y < 500 < first.y + first.height
    patched = pixels(whole).copy()
    for part in (first, rest):
        patched[part.y : part.y + part.height, part.x : part.x + part.width] = pixels(part)
    fresh = pixels(engine.colorize(ColorizeRequest(key, theme=theme)))
    assert np.abs(patched.astype(int) - fresh).max() <= 1


def test_only_what_changed_travels(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, gray)
    first = engine.colorize(ColorizeRequest(key))
    whole = engine.colorize(ColorizeRequest(key, since="unheard of"))
    same = engine.colorize(ColorizeRequest(key, since=whole.name))
    dot = (Dot(20, 20, 3, RED),)
    part = engine.colorize(ColorizeRequest(key, dot, since=same.name))

    assert (whole.x, whole.y, whole.width, whole.height) == (0, 0, 600, 400)
    assert (same.width, same.height) == (0, 0) and first.name != whole.name
    patched = pixels(whole).copy()
    patched[part.y : part.y + part.height, part.x : part.x + part.width] = pixels(part)
    fresh = pixels(engine.colorize(ColorizeRequest(key, dot)))
    assert np.abs(patched.astype(int) - fresh).max() <= 1


def test_a_locked_dot_is_followed(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, gray)
    dots = (Dot(500, 60, 6, "#28783c"), Dot(40, 40, 6, RED))

    answer = engine.colorize(ColorizeRequest(key, dots, locked=((502, 61),), preview_side=300))

    first, second = answer.dots
    assert first.locked and not second.locked
    assert first.followed > 0.95


def test_colours_and_places_are_suggested(engine: Client, gray: np.ndarray) -> None:
    key = opened(engine, gray)

    colors = engine.suggest_colors(key, 300, 200)
    places = engine.suggest_places(ColorizeRequest(key))

    assert 1 <= len(colors) <= messages.MAX_SUGGESTIONS
    assert sum(each.share for each in colors) == pytest.approx(1)
    assert list(colors) == sorted(colors, key=lambda each: -each.share)
    assert len(places) <= messages.MAX_PLACES
    assert all(0 <= x <= 600 and 0 <= y <= 400 for x, y in places)
    with pytest.raises(EngineError, match="'x' must be from 0 to 600"):
        engine.suggest_colors(key, 601, 200)


def test_a_theme_is_read_from_a_palette_file(engine: Client) -> None:
    theme, notes = engine.read_theme(b"#102030 #a05030 #c0c0a0", "three")
    assert theme.name == "three" and theme.colors == ("#102030", "#a05030", "#c0c0a0")
    assert notes == ()

    many = " ".join(f"#{3 * i:02x}{255 - 2 * i:02x}{i:02x}" for i in range(80))
    theme, notes = engine.read_theme(many.encode(), "many")
    assert len(theme.colors) == 7 and "80 colours" in notes[0]

    with pytest.raises(EngineError, match="not a palette"):
        engine.read_theme(b"\x89PNG\r\n", "photo.png")
    with pytest.raises(EngineError, match="holds no colours"):
        engine.read_theme(b"", "empty.gpl")
