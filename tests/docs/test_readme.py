"""What the README shows runs: its shell lines, its Python, its exit codes."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from symposia.engine import EXIT_CODES

README = (Path(__file__).resolve().parents[2] / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, re.M | re.S)


def test_console_lines_run_in_order(tmp_path: Path) -> None:
    lines = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert lines
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    for line in lines:
        words = shlex.split(line, comments=True)
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip()
    assert (tmp_path / "my-recipe.yaml").is_file()


def test_python_blocks_run(tmp_path: Path) -> None:
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook/one.md").write_text("# One\n\nThe kettle stands on the stove and it is warm.\n")
    for block in blocks("python"):
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr


def test_exit_codes_are_those_of_the_engine() -> None:
    table = {int(code): text for code, text in re.findall(r"^\| (\d+) \| (.*?) \|$", README, re.M)}
    assert set(EXIT_CODES.values()) <= set(table)
    assert set(table) == {0, 1, 2, 3, 4, 5, 6, 7, 130}


def test_the_first_screen_shows_a_negotiation_and_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:60])
    for text in ("teacher", "grounded", "make demo", "make test"):
        assert text in first_screen
    assert "TRANSCRIPT" not in README
