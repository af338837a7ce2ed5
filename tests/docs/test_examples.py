"""The examples run as they are, each in a process of its own, offline."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SAYS = {
    "custom_verifier.py": ["'Open it.': fail impolite", "'Please open it.': pass"],
    "own_graph.py": ["draft 0: How does the kestrel hover in one place?", "grounded: pass"],
    "run_from_python.py": ["is complete: 2 accepted", "verifier:grounded"],
}


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.py")))
def test_example(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    for text in SAYS[name]:
        assert text in done.stdout
