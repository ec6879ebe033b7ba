"""Who may import whom: plug-in -> protocol <- server -> engine, and never back."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ENGINE = {"torch", "numpy", "cv2", "skimage", "sklearn", "scipy", "safetensors", "PIL", "tqdm",
          "threadpoolctl"}  # fmt: skip
IMAGE_FILES = {"numpy", "cv2", "skimage", "PIL", "tqdm", "tifffile", "imagecodecs"}
ALLOWED = {
    "server/protocol": {"server.protocol"},
    "gimp_plugin": {"gimp_plugin", "server.protocol", "gi"},
    "server": {"server", "engine", *IMAGE_FILES},
    "engine": {"engine", *ENGINE, "onnxruntime", "openvino"},  # those in a benchmark, if installed
    "install.py": {"server.protocol"},
}
TOUCH_GIMP = {"tincture.py", "canvas.py", "result_layer.py", "live_canvas.py", "dialog.py",
              "window"}  # fmt: skip


def files(layer: str) -> list[Path]:
    path = ROOT / layer
    found = [path] if path.is_file() else sorted(path.rglob("*.py"))
    inner = ROOT / "server/protocol"
    return [file for file in found if layer == "server/protocol" or inner not in file.parents]


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def covers(allowed: str, name: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


@pytest.mark.parametrize("layer", ALLOWED)
def test_a_layer_imports_only_what_it_may(layer: str) -> None:
    assert files(layer)
    for file in files(layer):
        for name in imported(file):
            known = name.split(".")[0] in sys.stdlib_module_names
            fine = known or any(covers(allowed, name) for allowed in ALLOWED[layer])
            assert fine, f"{file.relative_to(ROOT)} imports {name}"


def test_only_a_few_thin_files_touch_gimp() -> None:
    folder = ROOT / "gimp_plugin"
    touching = {
        file.relative_to(folder).parts[0]
        for file in files("gimp_plugin")
        if any(name.split(".")[0] == "gi" for name in imported(file))
    }

    assert touching <= TOUCH_GIMP


def test_the_test_would_notice(tmp_path: Path) -> None:
    bad = tmp_path / "bad.py"
    bad.write_text("import torch\nfrom server.listener import Listener\n")

    assert list(imported(bad)) == ["torch", "server.listener.Listener"]
    assert not any(covers("server.protocol", name) for name in imported(bad))
