"""Photos are found in folders and in a corpus of zip files."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from engine import photos
from engine.photos import (
    NoPhotos,
    is_gray,
    load_segments,
    load_squares,
    photo_files,
    read_photo,
    segments,
    square,
)


def jpeg(width: int, height: int, color: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (width, height), color).save(data, "JPEG", quality=95)
    return data.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "inner").mkdir()
    (tmp_path / "b.jpg").write_bytes(jpeg(60, 40, (200, 40, 40)))
    (tmp_path / "inner" / "a.jpg").write_bytes(jpeg(40, 60, (40, 200, 40)))
    (tmp_path / "notes.txt").write_text("no photo")
    return tmp_path


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    photos.mkdir()
    with zipfile.ZipFile(photos / "one.zip", "w") as shard:
        for name, color in (("x", (10, 20, 200)), ("y", (200, 20, 10))):
            shard.writestr(f"{name}.jpg", jpeg(48, 48, color))
    with (photos / "index.csv").open("w", newline="") as lines:
        writer = csv.DictWriter(lines, ("id", "shard", "split"))
        writer.writeheader()
        writer.writerow({"id": "x", "shard": "one.zip", "split": "train"})
        writer.writerow({"id": "y", "shard": "one.zip", "split": "val"})
    return tmp_path


def test_a_folder_is_searched_to_the_bottom(folder: Path) -> None:
    assert [name for name, _ in photo_files(folder, "train")] == ["b.jpg", "inner/a.jpg"]


def test_a_corpus_keeps_its_splits_apart(corpus: Path) -> None:
    ((name, opener),) = photo_files(corpus, "val")

    assert name == "y"
    assert read_photo(opener())[0, 0, 0] > 150


def test_a_folder_without_photos_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoPhotos, match="holds no photographs"):
        photo_files(tmp_path, "train")


@pytest.mark.parametrize(("height", "width"), [(40, 90), (90, 40), (30, 30)])
def test_squares_keep_the_aspect(height: int, width: int) -> None:
    photo = np.zeros((height, width, 3), np.uint8)
    short = min(height, width)
    photo[(height - short) // 2 :, (width - short) // 2 :] = 255
    photo[(height - short) // 2 + short :, :] = 0
    photo[:, (width - short) // 2 + short :] = 0

    assert (square(photo, 16) == 255).all()


def test_photos_are_stacked_channels_first_and_kept(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"

    first = load_squares(folder, "train", 32, cache=cache)
    again = load_squares(folder, "train", 32, cache=cache)

    assert first.shape == (2, 3, 32, 32)
    assert (first == again).all()
    assert first[0, 0].float().mean() > 150 > first[0, 1].float().mean()
    assert len(list(cache.iterdir())) == 1


def test_what_cannot_be_read_is_named_and_left_out(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = (folder / "b.jpg").read_bytes()
    (folder / "broken.png").write_bytes(b"no photo")
    (folder / "cut.jpg").write_bytes(whole[: len(whole) // 2])

    assert len(load_squares(folder, "train", 32)) == 2
    told = capsys.readouterr().err
    assert "broken.png is left out" in told and "cut.jpg is left out" in told


@pytest.mark.parametrize("split", ["train", "val"])
def test_what_has_no_colour_is_counted_and_left_out(
    split: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(6):
        (folder / f"gray-{number}.jpg").write_bytes(jpeg(50, 50, (90, 90, 90)))
    Image.new("L", (50, 50), 90).save(folder / "inner" / "scan.png")

    assert len(load_squares(folder, split, 32)) == 2
    told = capsys.readouterr().err
    assert "7 photos (gray-0.jpg, " in told and "gray-4.jpg, …)" in told


def test_a_photo_of_faint_colour_is_none_without() -> None:
    photo = np.full((40, 60, 3), 90, np.uint8)
    assert is_gray(photo)

    for channel in range(3):
        faint = photo.copy()
        faint[20, 30, channel] += 1
        assert not is_gray(faint)


def test_a_limit_counts_files(folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"no photo")

    assert len(load_squares(folder, "train", 32, limit=2)) == 1


def test_a_damaged_photo_of_a_corpus_is_left_out(corpus: Path) -> None:
    index, shard = corpus / "photos/index.csv", corpus / "photos/one.zip"
    index.write_text(index.read_text().replace("val", "train"))
    data = bytearray(shard.read_bytes())
    data[data.index(b"x.jpg") + 300] ^= 255
    shard.write_bytes(data)

    assert len(load_squares(corpus, "train", 32)) == 1


def test_a_photo_that_its_zip_file_lacks_is_left_out(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (corpus / "photos/index.csv").open("a") as lines:
        lines.write("z,one.zip,train\n")

    assert len(load_squares(corpus, "train", 32)) == 1
    assert "z is left out" in capsys.readouterr().err


def test_a_corpus_without_one_of_its_zip_files_says_so(corpus: Path) -> None:
    (corpus / "photos/one.zip").unlink()

    with pytest.raises(NoPhotos, match=r"is not whole: .*one\.zip"):
        photo_files(corpus, "train")


def test_a_folder_without_a_usable_photo_says_so(tmp_path: Path) -> None:
    (tmp_path / "gray.jpg").write_bytes(jpeg(50, 50, (90, 90, 90)))

    with pytest.raises(NoPhotos, match="none of the photographs"):
        load_squares(tmp_path, "train", 32)


def test_a_photo_is_turned_as_its_exif_says() -> None:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (60, 40), (200, 40, 40)).save(data, "JPEG", exif=exif)

    assert read_photo(data.getvalue()).shape == (60, 40, 3)


def test_a_photo_with_damaged_exif_is_one_that_cannot_be_read() -> None:
    data, exif = io.BytesIO(), Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    Image.new("RGB", (60, 40), (200, 40, 40)).save(data, "JPEG", exif=exif)
    text_for_a_width = data.getvalue().replace(b"\x01\x0f\x00\x02", b"\x01\x00\x00\x02")

    with pytest.raises(OSError, match="not an integer"):
        read_photo(text_for_a_width)


def test_a_changed_folder_is_read_anew(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_squares(folder, "train", 32, cache=cache)

    (folder / "b.jpg").write_bytes(jpeg(60, 44, (40, 40, 200)))
    replaced = load_squares(folder, "train", 32, cache=cache)
    (folder / "c.jpg").write_bytes(jpeg(60, 40, (200, 180, 200)))
    added = load_squares(folder, "train", 32, cache=cache)

    assert replaced[0, 2].float().mean() > 150
    assert len(added) == 3


def test_what_was_kept_by_another_way_of_reading_is_not_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_squares(folder, "train", 32, cache=tmp_path / "cache")
    monkeypatch.setattr(photos, "READING", photos.READING + 1)
    load_squares(folder, "train", 32, cache=tmp_path / "cache")

    assert len(list((tmp_path / "cache").iterdir())) == 2


def test_a_changed_corpus_is_read_anew(corpus: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    load_squares(corpus, "train", 32, cache=cache)

    index = corpus / "photos/index.csv"
    index.write_text(index.read_text().replace("val", "train"))

    assert len(load_squares(corpus, "train", 32, cache=cache)) == 2


def test_segments_follow_a_photos_edges() -> None:
    photo = np.full((60, 60, 3), 40, np.uint8)
    photo[10:40, 20:50] = (200, 60, 60)

    numbers = segments(photo)

    inside = photo[..., 0] == 200
    middle = numbers == numbers[25, 35]
    assert middle[inside].mean() > 0.8  # the softened edge may be a segment of its own
    assert not middle[~inside].any()


def test_segments_are_found_for_every_photo_and_kept(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    (folder / "broken.jpg").write_bytes(b"no photo")

    first = load_segments(folder, "train", 32, cache=cache)
    again = load_segments(folder, "train", 32, cache=cache)

    assert first.shape == (2, 1, 32, 32) and first.dtype == torch.uint8
    assert len(load_squares(folder, "train", 24, cache=cache)) == 2
    assert torch.equal(first, again)
    assert len(list(cache.iterdir())) == 3  # photos at both sizes, segments
