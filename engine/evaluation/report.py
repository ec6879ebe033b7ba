"""Figures as tables for people (terminal and HTML page), as JSON, and as charts."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.evaluation.chart import Panel, draw_chart
from engine.evaluation.inputs import CELLS_224, COUNTS, DOTS_256
from engine.evaluation.sheet import Sheet

# Mean over 1,000 photos of ImageNet, from psnrs_siggraph.npy of richzhang/colorization-pytorch.
# Other photos than ours: it shows the height that a strong network reaches, not a race.
ZHANG = "Zhang 2017, published (ImageNet)"
ZHANG_PSNR = (24.43, 25.37, 26.20, 27.39, 28.42, 29.34, 30.42, 31.13)
assert len(ZHANG_PSNR) == len(COUNTS)
# (figure, title, decimals)
TABLE = (
    ("psnr", "PSNR dB", 2),
    ("ssim", "SSIM", 3),
    ("ciede2000", "CIEDE2000", 2),
    ("colorfulness", "colourfulness", 1),
)
OBEDIENCE = (
    ("at_dot", "CIEDE2000 at the dot", 2),
    ("spread", "spread", 3),
    ("bleeding", "bleeding", 3),
)
FOREIGN = (("emd", "EMD, ab units", 2), ("nearest", "to the nearest colour, ab units", 2))
NOTES = (
    "Photos: the largest square from the middle, resized, so that their aspect is kept.",
    "The result is the photo's own L with the predicted ab, through CIE Lab (D65) to sRGB, clipped;"
    " PSNR, SSIM and colourfulness (Hasler and Süsstrunk) are over its R, G and B.",
    "Table 1: 3 to 20 dots of 6x6 pixels; themes of 3 to 7 colours; both are the true photo's.",
    "Obedience: the object is a segment of the true photo (Felzenszwalb and Huttenlocher), 3 to"
    " 20 % of it; its dot is a quarter to three quarters of the hue circle off. Spread: share of"
    " the object now nearer to the asked colour than to what it was without the dot. Bleeding:"
    " share of the rest that moved by more than 10 units of ab.",
    "Foreign theme: the theme of the next photo of the set.",
    "“dots kept”: with the correction at the dots that the plug-in applies to every result at"
    " the network's size (`engine.colorizer.keep_dots`), without what it does at the photo's own.",
    "LPIPS is left out: its packages load the weights of the network it is built on from the net.",
    f"{ZHANG}: 1,000 other photos, 6x6 dots at 256.",
)
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """A titled table of text."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def tables(records: Sequence[Record]) -> list[Table]:
    """All tables of an evaluation's records (see `Tally.records`)."""
    found = [_plain("Table 1", "table", records, TABLE)]
    for protocol in (DOTS_256, CELLS_224):
        found += [_curve(protocol.name, figure, records) for figure in TABLE]
    found.append(_plain("Obedience", "obedience", records, OBEDIENCE))
    found.append(_plain("Another photo's theme", "foreign theme", records, FOREIGN))
    return [table for table in found if table.rows]


def _plain(
    title: str, section: str, records: Sequence[Record], figures: Sequence[tuple[str, str, int]]
) -> Table:
    rows = tuple(
        (
            record["method"],
            record["given"],
            *(_with_error(record["figures"][key], places) for key, _, places in figures),
        )
        for record in records
        if record["section"] == section
    )
    return Table(title, ("method", "given", *(name for _, name, _ in figures)), rows)


def _curve(protocol: str, figure: tuple[str, str, int], records: Sequence[Record]) -> Table:
    key, name, places = figure
    rows = [
        (method, *(f"{points[count]:.{places}f}" if count in points else "" for count in COUNTS))
        for method, points in curves(protocol, key, records).items()
    ]
    head = ("dots", *(str(count) for count in COUNTS))
    return Table(f"{name} by number of dots, {protocol}", head, tuple(rows))


def curves(protocol: str, key: str, records: Sequence[Record]) -> dict[str, dict[int, float]]:
    """{method: {number of dots: mean}} of one figure, the published curve beside ours."""
    lines: dict[str, dict[int, float]] = {}
    for record in records:
        if record["section"] == f"curve: {protocol}":
            mean = record["figures"][key]["mean"]
            lines.setdefault(record["method"], {})[int(record["given"])] = mean
    if lines and key == "psnr" and protocol == DOTS_256.name:
        lines[ZHANG] = dict(zip(COUNTS, ZHANG_PSNR, strict=True))
    return lines


def _with_error(figure: Mapping[str, float | None], places: int) -> str:
    if figure["mean"] is None:
        return "none"
    return f"{figure['mean']:.{places}f} ± {figure['stderr']:.{places}f}"


def as_text(table: Table) -> str:
    """A table with aligned columns."""
    lines = (table.head, *table.rows)
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.head))]
    rows = ["  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([table.title, "-" * len(table.title), *(row.rstrip() for row in rows), ""])


def save(
    folder: Path, records: Sequence[Record], settings: Mapping[str, object], sheet: Sheet
) -> None:
    """Write results.json, curves.png, sheet.png and index.html. settings: what was evaluated."""
    folder.mkdir(parents=True, exist_ok=True)
    result = {"settings": settings, "notes": NOTES, "records": records}
    (folder / "results.json").write_text(json.dumps(result, indent=1, ensure_ascii=False), "utf-8")
    protocols = (DOTS_256.name, CELLS_224.name)
    panels = [Panel(name, curves(name, "psnr", records)) for name in protocols]
    draw_chart(panels, folder / "curves.png", "PSNR in dB")
    sheet.save(folder / "sheet.png")
    (folder / "index.html").write_text(page(records, settings), "utf-8")


def page(records: Sequence[Record], settings: Mapping[str, object]) -> str:
    """The HTML page; it shows curves.png and sheet.png from its own folder."""
    facts = "".join(f"<tr><th>{_text(k)}</th><td>{_text(v)}</td></tr>" for k, v in settings.items())
    notes = "".join(f"<li>{_text(note)}</li>" for note in NOTES)
    body = "".join(_as_html(table) for table in tables(records))
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'><title>Evaluation</title>"
        "<style>body{font:15px/1.4 sans-serif;max-width:1200px;margin:2em auto;padding:0 1em}"
        "td,th{padding:.15em .8em .15em 0;text-align:left}img{max-width:100%}</style>"
        f"<h1>Evaluation of {_text(settings.get('network', ''))}</h1><table>{facts}</table>"
        "<img src='curves.png' alt='PSNR by number of dots'>"
        f"{body}<h2>Photos</h2><img src='sheet.png' alt='The first photos in every way'>"
        f"<h2>How it is measured</h2><ul>{notes}</ul></html>"
    )


def _as_html(table: Table) -> str:
    head = "".join(f"<th>{_text(cell)}</th>" for cell in table.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<h2>{_text(table.title)}</h2><table><tr>{head}</tr>{rows}</table>"


def _text(value: object) -> str:
    return html.escape(str(value))
