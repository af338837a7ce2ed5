"""The demo, as a user runs it: a real document, the embedded model, nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import symposia_graphs

pytestmark = pytest.mark.integration

DOCUMENT = Path(symposia_graphs.__file__).parent / "documents" / "lighthouses.md"


def test_the_demo_gives_three_samples_that_stand_in_the_document(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "symposia", "demo"], cwd=tmp_path, capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (file,) = tmp_path.glob("runs/demo-*/dataset.jsonl")
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    text = " ".join(DOCUMENT.read_text().split())
    for row in rows:
        quote = " ".join(row["payload"]["quote"].split())
        assert quote in text
        assert len(quote.split()) >= 5
    assert len(rows) == 3
    assert len({row["metadata"]["source_id"] for row in rows}) == 3
    for part in ("accepted: 3", "rejected:", "ACCEPTED at", str(file.relative_to(tmp_path))):
        assert part in done.stdout
