"""`tincture` as a user types it."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import cv2
import numpy as np
import pytest
import tifffile
import torch
from PIL import ExifTags, Image, ImageOps

from engine.colorizer import Colorizer
from server import command_line
from server.command_line import Wishes, Worker, chosen_theme, main
from server.listener import MAX_CONNECTIONS
from server.photo_files import read_photo
from server.photo_paths import UserError, expand, output_paths
from server.protocol import launcher, places
from server.protocol.client import Client
from server.protocol.written_theme import parse_theme
from tests.conftest import SAMPLES


@pytest.fixture
def photo(tmp_path: Path, gray: np.ndarray) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), gray)
    return path


def read(path: Path) -> np.ndarray:
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return np.asarray(pixels)


def test_a_photo_is_coloured_without_an_engine(home: Path, photo: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.png"

    assert main(["colorize", str(photo), "-o", str(target)]) == 0
    assert np.ptp(read(target).astype(int), axis=-1).mean() > 2


def test_a_running_engine_gives_the_same_pixels(
    engine: Client, photo: Path, tmp_path: Path
) -> None:
    arguments = ["colorize", str(photo), "--theme", "#a03010 #204060", "--dot", "300,60=#c81e28"]

    assert main([*arguments, "-o", str(tmp_path / "engine.png")]) == 0
    assert engine.status()["pictures"] == 1
    assert main([*arguments, "--own", "-o", str(tmp_path / "own.png")]) == 0
    assert np.array_equal(read(tmp_path / "engine.png"), read(tmp_path / "own.png"))


def test_strength_is_the_themes_and_saturation_all_colours(
    home: Path, photo: Path, tmp_path: Path
) -> None:
    def colored(*options: str) -> np.ndarray:
        target = tmp_path / "out.png"
        assert (
            main(["colorize", str(photo), "-o", str(target), "--own", "--replace", *options]) == 0
        )
        return read(target)

    theme = ("--theme", "#103080 #2060b0 #60a0e0")

    assert np.array_equal(colored(*theme, "--strength", "0"), colored())
    assert np.ptp(colored(*theme, "--saturation", "0").astype(int), axis=-1).max() <= 1


def test_a_full_gpu_is_said_without_an_engine_too(
    home: Path,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The error is put in by hand: it is told where there is no GPU too."""

    def full(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    monkeypatch.setattr(Colorizer, "open", full)

    assert main(["colorize", str(photo), "-o", str(tmp_path / "out.png"), "--own"]) == 1
    assert "GPU has too little free memory" in capsys.readouterr().err


def test_sixteen_bits_stay_sixteen(home: Path, gray: np.ndarray, tmp_path: Path) -> None:
    path, target = tmp_path / "deep.tif", tmp_path / "deep-out.tif"
    cv2.imwrite(str(path), gray.astype(np.uint16) * 256 + 77)

    assert main(["colorize", str(path), "-o", str(target)]) == 0
    assert read(target).dtype == np.uint16


def test_alpha_stays(home: Path, gray: np.ndarray, tmp_path: Path) -> None:
    path, target = tmp_path / "a.png", tmp_path / "a-out.png"
    alpha = np.full_like(gray, 200)
    cv2.imwrite(str(path), np.dstack((gray, gray, gray, alpha)))

    assert main(["colorize", str(path), "-o", str(target)]) == 0
    assert (read(target)[..., 3] == 200).all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright(
    gray: np.ndarray, tmp_path: Path, orientation: int, suffix: str
) -> None:
    path = tmp_path / f"turned{suffix}"
    image = Image.fromarray(gray)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    image.save(path, exif=image.getexif())

    assert np.array_equal(read_photo(path).gray, np.asarray(ImageOps.exif_transpose(image)))


def test_grey_with_alpha_keeps_both(home: Path, gray: np.ndarray, tmp_path: Path) -> None:
    path, target = tmp_path / "a.tif", tmp_path / "a-out.tif"
    pixels = np.dstack((gray, np.full_like(gray, 200))).astype(np.uint16) * 257
    tifffile.imwrite(path, pixels, photometric="minisblack", planarconfig="contig",
                     extrasamples=["unassalpha"])  # fmt: skip

    assert np.array_equal(read_photo(path).gray, pixels)
    assert main(["colorize", str(path), "-o", str(target)]) == 0
    result = tifffile.imread(target)
    assert result.dtype == np.uint16 and (result[..., 3] == 200 * 257).all()


def test_no_photo_is_a_bomb(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    cv2.imwrite(str(path), np.zeros((9_000, 10_000), np.uint8))

    assert read_photo(path).gray.shape == (9_000, 10_000)


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that has no content")
def test_a_file_that_cannot_be_read_is_said_with_the_reason() -> None:
    with pytest.raises(UserError, match="cannot be read: Input/output error"):
        read_photo(Path("/proc/self/mem"))


def test_a_folder_of_photos_is_coloured(home: Path, photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    photo.replace(folder / "one.png")
    (folder / "list.txt").write_text("no photo")

    assert main(["colorize", str(folder), "-o", str(tmp_path / "out")]) == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["one.png"]


def test_several_photos_go_into_a_folder(home: Path, photo: Path, tmp_path: Path) -> None:
    other = SAMPLES / "astronaut.png"

    assert main(["colorize", str(photo), str(other), "-o", str(tmp_path / "out")]) == 0
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"photo.png", "astronaut.png"}


@pytest.mark.parametrize(
    ("names", "output", "wanted"),
    [
        (["1.tif"], "v1.2/", ["v1.2/1.png"]),
        (["1.tif", "2.jpg"], "out", ["out/1.png", "out/2.png"]),
        (["1.tif", "1.jpg", "2.jpg"], "out", ["out/1.tif.png", "out/1.jpg.png", "out/2.png"]),
        (["a.tif", "A.jpg"], "out", ["out/a.tif.png", "out/A.jpg.png"]),
    ],
)
def test_every_result_has_a_name_of_its_own(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    names: Sequence[str],
    output: str,
    wanted: Sequence[str],
) -> None:
    monkeypatch.chdir(tmp_path)

    assert output_paths([Path(name) for name in names], output) == [Path(name) for name in wanted]
    assert Path(wanted[0]).parent.is_dir()


@pytest.mark.parametrize(
    ("photos", "words"),
    [(["a/1.tif", "b/1.TIF"], "same name"), (["out/Old.PNG", "new.jpg"], "would replace")],
)
def test_results_that_differ_by_case_only_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photos: Sequence[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UserError, match=words):
        output_paths([Path(photo) for photo in photos], "out")


def test_patterns_that_the_shell_left_are_expanded(tmp_path: Path) -> None:
    for name in ("[2] b.tif", "[2] a.tif", "[2] c.jpg", "[2] ?.tif"):
        (tmp_path / name).touch()

    matched = expand([str(tmp_path / "[2] *.tif"), "none*.tif"])
    named = expand([str(tmp_path / "[2] ?.tif")])  # a file of that very name

    assert [path.name for path in matched] == ["[2] ?.tif", "[2] a.tif", "[2] b.tif", "none*.tif"]
    assert [path.name for path in named] == ["[2] ?.tif"]


def test_a_photo_that_is_named_twice_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("scans")
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).touch()

    found = expand(["scans/b.png", "scans/", str(tmp_path / "scans/a.png")])

    assert [path.name for path in found] == ["b.png", "a.png"]


def test_hidden_files_in_a_folder_are_no_photos(tmp_path: Path) -> None:
    for name in ("b.png", "._b.png", ".c.png"):
        (tmp_path / name).touch()

    assert expand([str(tmp_path)]) == [tmp_path / "b.png"]


def test_a_name_that_is_longer_than_names_can_be_is_refused(tmp_path: Path) -> None:
    long = "x" * 300

    for photo in (f"{long}.png", f"{long}*.png"):
        with pytest.raises(UserError, match="cannot be read: File name too long"):
            expand([photo])
    for output in (f"{tmp_path}/{long}.png", f"{tmp_path}/{long}"):
        with pytest.raises(UserError, match="File name too long"):
            output_paths([Path("photo.png")], output)


def test_a_folder_that_is_named_like_a_photo_is_none(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    (tmp_path / "b.png").touch()

    assert expand([str(tmp_path)]) == [tmp_path / "b.png"]


def test_the_folder_of_a_result_is_made(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.png"

    assert output_paths([Path("photo.png")], str(target)) == [target]
    assert target.parent.is_dir()


@pytest.mark.parametrize("command", ["colorize", "themes"])
def test_what_exists_is_replaced_only_when_that_is_asked_for(
    home: Path,
    photo: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    other = Path("themes.png")
    other.write_text("my own")
    output = [] if command == "themes" else ["-o", "themes.png", "--own"]

    assert main([command, str(photo), *output]) == 1
    assert "themes.png exists; choose another place, or give --replace" in capsys.readouterr().err
    assert other.read_text() == "my own"
    assert main([command, str(photo), *output, "--replace"]) == 0
    assert read(other).ndim == 3


def test_a_file_in_the_folder_of_the_results_is_kept(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    photo, other = tmp_path / "photo.tif", tmp_path / "photo.png"
    for path in (photo, other):
        path.write_text("my own")

    assert main(["colorize", str(photo), "-o", str(tmp_path)]) == 1
    assert "photo.png exists" in capsys.readouterr().err
    assert other.read_text() == "my own"


@pytest.mark.parametrize("command", ["colorize", "themes"])
def test_a_photo_is_never_replaced(
    home: Path, photo: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()

    assert main([command, str(photo), "-o", str(photo), "--replace"]) == 1
    assert "would replace the photo" in capsys.readouterr().err
    assert photo.read_bytes() == before


@pytest.mark.skipif(sys.platform != "linux", reason="names are text on other systems")
def test_a_name_that_is_no_text_is_written_as_it_is(
    home: Path, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = os.fsdecode(b"M\xfcnchen.png")
    odd, target = photo.rename(photo.with_name(name)), photo.parent / "out" / name
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "utf-8", errors="strict"))

    assert main(["colorize", str(odd), "-o", f"{target.parent}/", "--own"]) == 0
    sys.stdout.flush()

    assert target.exists()
    assert written.getvalue() == os.fsencode(target) + b"\n"


def test_of_a_file_of_pages_it_is_said_which_was_coloured(
    home: Path, gray: np.ndarray, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "album.tif"
    tifffile.imwrite(path, np.stack([gray, gray[::-1]]), photometric="minisblack")

    assert main(["colorize", str(path), "-o", str(tmp_path / "out.tif"), "--own"]) == 0
    assert "album.tif: only page 1 of 2 was taken" in capsys.readouterr().err


def test_a_result_has_its_photos_resolution_and_words(
    home: Path, gray: np.ndarray, tmp_path: Path
) -> None:
    path, target = tmp_path / "scan.tif", tmp_path / "result.jpg"
    tifffile.imwrite(path, gray, resolution=(600, 600), resolutionunit="inch",
                     description="Oma, 1931", metadata=None)  # fmt: skip

    assert main(["colorize", str(path), "-o", str(target), "--own"]) == 0
    with Image.open(target) as image:
        assert image.info["dpi"] == (600, 600)
        assert image.getexif()[ExifTags.Base.ImageDescription] == "Oma, 1931"


def test_the_work_goes_on_when_the_engine_ends(home: Path, gray: np.ndarray) -> None:
    client = launcher.connect_or_start()
    wishes = Wishes((), (), (), 1.0, 1.0, "draft")

    with Worker(client) as work:
        before, _ = work(gray, wishes, lambda fraction: None)
        os.kill(client.info.pid, signal.SIGKILL)
        after, _ = work(gray, wishes, lambda fraction: None)
        again, _ = work(gray, wishes, lambda fraction: None)

    assert np.array_equal(before, after) and np.array_equal(before, again)


def test_a_photo_that_the_engine_forgot_meanwhile_is_coloured_here(
    engine: Client, gray: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight photos of others would take its place; here somebody closes it."""
    wishes = Wishes((), (), (), 1.0, 1.0, "draft")

    def open_and_forget(client: Client, gray: np.ndarray) -> str:
        key = shown(client, gray)
        engine.close_picture(key)
        return key

    shown = command_line._open
    with Worker(launcher.running()) as work:
        before, _ = work(gray, wishes, lambda fraction: None)
        monkeypatch.setattr(command_line, "_open", open_and_forget)
        after, _ = work(gray, wishes, lambda fraction: None)

    assert np.array_equal(before, after)


@pytest.mark.skipif(os.name == "nt", reason="there a signal kills")
def test_an_engine_that_lets_nobody_in_is_done_without_and_can_be_stopped(
    home: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "out.png"
    with ExitStack() as clients:
        for _ in range(MAX_CONNECTIONS):
            clients.enter_context(launcher.connect_or_start())

        assert main(["colorize", str(photo), "-o", str(target)]) == 0
        assert target.exists()
        assert main(["stop"]) == 0
    assert "the engine was stopped" in capsys.readouterr().out
    assert not places.rendezvous_file().exists()


def test_one_bad_file_does_not_keep_the_others_back(
    home: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")

    assert main(["colorize", str(bad), str(photo), "-o", str(tmp_path / "out")]) == 1
    assert "not a photo that can be read" in capsys.readouterr().err
    assert (tmp_path / "out" / "photo.png").exists()


def test_a_palette_file_is_the_theme(home: Path, photo: Path, tmp_path: Path) -> None:
    palette = tmp_path / "autumn.gpl"
    palette.write_text("GIMP Palette\nName: Autumn\n#\n180 60 20 rust\n90 60 30\n220 180 90\n")
    plain, themed = tmp_path / "plain.png", tmp_path / "themed.png"

    assert main(["colorize", str(photo), "-o", str(plain)]) == 0
    assert main(["colorize", str(photo), "--theme", str(palette), "-o", str(themed)]) == 0
    assert np.abs(read(plain).astype(int) - read(themed)).mean() > 1


def test_a_page_of_recommended_themes(
    home: Path, photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "themes.png"

    assert main(["themes", str(photo), "-o", str(page)]) == 0

    *themes, written = capsys.readouterr().out.splitlines()
    assert written == str(page)
    assert len(set(themes)) == 6
    pixels = read(page)[..., ::-1].astype(int)
    assert pixels.shape[1] == 3 * (320 + 8)
    assert np.ptp(pixels, axis=-1).mean() > 3
    colors, shares = parse_theme(themes[0])
    assert sum(shares) == pytest.approx(1, abs=0.01)
    for color in colors:  # in the first swatches, below the first thumbnail
        swatch = tuple(bytes.fromhex(color[1:]))
        assert (pixels[: len(pixels) // 2, :328] == swatch).all(-1).any()


@pytest.mark.parametrize(
    ("page", "words"),
    [("{photo}", "would replace the photo"), ("out.xyz", "xyz files cannot be written")],
)
def test_a_page_of_themes_has_a_place_of_its_own(
    home: Path, photo: Path, page: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = photo.read_bytes()

    assert main(["themes", str(photo), "-o", page.format(photo=photo)]) == 1
    assert words in capsys.readouterr().err
    assert photo.read_bytes() == before


def test_a_built_in_theme_is_known_by_its_name() -> None:
    assert chosen_theme("Blue Hour") == chosen_theme("blue-hour")
    assert len(chosen_theme("dawn")[0]) == 5


def test_a_theme_that_is_written_out_may_be_longer_than_a_files_name() -> None:
    colors = tuple(f"#{n:02x}4060" for n in range(40))

    assert chosen_theme(" ".join(colors)) == (colors, ())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["missing.jpg", "-o", "out.png"], "does not exist"),
        (["missing*.jpg", "-o", "out.png"], "does not exist"),
        (["{photo}", "-o", "{photo}"], "would replace the photo"),
        (["{photo}", "other/photo.png", "-o", "out.png"], "needs? a folder"),
        (["{photo}", "other/photo.png", "-o", "folder"], "same name"),
        (["{photo}", "-o", "out.gif"], "gif files cannot be written"),
        (["{photo}", "-o", "{photo}/inside"], "cannot be made"),
        (["{photo}", "-o", "{photo}/out.png"], "cannot be made"),
        (["empty", "-o", "out"], "holds no photos"),
        (["{photo}", "-o", "out.png", "--theme", "nowhere.gpl"], "cannot be read"),
        (["{photo}", "-o", "out.png", "--theme", "{photo}"], "not a palette"),
    ],
)
def test_mistakes_are_answered_in_words(
    home: Path,
    photo: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    import re

    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    before = photo.read_bytes()

    assert main(["colorize", *(word.format(photo=photo) for word in arguments)]) == 1
    assert re.search(words, capsys.readouterr().err)
    assert photo.read_bytes() == before


def test_a_page_of_themes_is_of_one_photo(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["themes", str(tmp_path), "-o", str(tmp_path / "out.png")]) == 1
    assert "is a folder; name a photo in it" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["abc", "nan", "-1", "2.1"])
def test_a_strength_that_is_none_is_refused(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["colorize", "x.png", "-o", "y.png", f"--strength={share}"])
    assert "must be a number from 0 to 2" in capsys.readouterr().err


def test_help_tells_of_larger_dots_and_of_colours_in_text_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["colorize", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "X,Y,RADIUS=#RRGGBB for a larger one (default radius 3)" in words
    assert ".hex" in words


@pytest.mark.parametrize("dot", ["", "1=#000000", "1,2,3,4=#000000", "1,2=red", "1,2,-3=#000000"])
def test_a_dot_that_is_none_is_refused(dot: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["colorize", "x.png", "-o", "y.png", "--dot", dot])
    assert "is not a dot" in capsys.readouterr().err


def test_check_start_status_and_stop(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 0
    assert main(["check"]) == 0
    assert main(["status"]) == 0
    assert main(["stop"]) == 0
    output = capsys.readouterr().out
    assert "no engine is running" in output
    assert "256x256 coloured in" in output
    assert "default on" in output
    assert "the engine was stopped" in output


@pytest.mark.parametrize("quality", ["draft", "fine"])
def test_the_quality_can_be_chosen_and_an_engine_follows_it(
    engine: Client, photo: Path, tmp_path: Path, quality: str
) -> None:
    names = ("normal", quality, "own")
    normal, chosen, own = (tmp_path / f"{name}.png" for name in names)

    assert main(["colorize", str(photo), "-o", str(normal)]) == 0
    assert main(["colorize", str(photo), "-o", str(chosen), "--quality", quality]) == 0
    assert main(["colorize", str(photo), "-o", str(own), "--quality", quality, "--own"]) == 0
    assert not np.array_equal(read(chosen), read(normal))
    assert np.array_equal(read(chosen), read(own))


def test_an_unknown_quality_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["colorize", "x.png", "-o", "y.png", "--quality", "best"])
    assert "draft" in capsys.readouterr().err
