"""Rules that every exporter keeps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from symposia.contracts import Exporter
from symposia.errors import ExportError, StoreError
from symposia.records import Sample
from symposia.testing.conformance.rules import ODD_TEXTS, require

__all__ = ["check_exporter", "example_samples"]


def example_samples() -> list[Sample]:
    """Samples with and without optional values, and with odd texts."""
    plain = Sample(
        id="0123456789abcdef",
        task=0,
        graph="qa",
        messages=({"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because."}),
        payload={"question": "Why?", "answer": "Because."},
    )
    full = plain.model_copy(
        update={
            "id": "fedcba9876543210",
            "task": 1,
            "source_id": "a.md#1",
            "persona": "keeper",
            "evidence": ("verifier:grounded",),
            "score": 0.75,
            "models": {"teacher": "local/smollm2", "critic": "local/smollm2"},
            "constitution": "helpful-short",
            "human": "edit",
        }
    )
    odd = (
        {"id": f"{task:016x}", "task": task, "payload": {"answer": text, "nested": [{"a": 1}]}}
        for task, text in enumerate(ODD_TEXTS, start=2)
    )
    return [plain, full, *(plain.model_copy(update=update) for update in odd)]


async def check_exporter(build: Callable[[], Exporter], folder: Path) -> None:
    """Check an exporter.

    Args:
        build: Makes the exporter.
        folder: An empty folder to write in.

    Raises:
        AssertionError: A rule is broken; the message says which.
    """
    exporter = build()
    require(exporter.suffix.startswith("."), "the suffix begins with a dot")
    samples = example_samples()
    path = folder / f"dataset{exporter.suffix}"
    require(exporter.write(iter(samples), path) == len(samples), "write gives the number of rows")
    written = path.read_bytes()
    other = folder / f"again{exporter.suffix}"
    turned = (dict(reversed(sample.payload.items())) for sample in samples)
    pairs = zip(samples, turned, strict=True)
    build().write((sample.model_copy(update={"payload": payload}) for sample, payload in pairs), other)
    require(other.read_bytes() == written, "equal samples give equal bytes, whatever the order of their keys")
    require(str(folder).encode() not in written, "rows hold nothing of the machine")

    def cut_short() -> Iterator[Sample]:
        yield samples[0]
        raise StoreError("the store broke")

    error = _error(exporter, cut_short(), path)
    require(isinstance(error, StoreError), "an error of the samples passes through unchanged")
    require(path.read_bytes() == written, "a file that could not be finished leaves the old one as it was")
    (folder / "a file").write_text("in the way")
    error = _error(exporter, iter(samples), folder / "a file" / f"dataset{exporter.suffix}")
    require(isinstance(error, ExportError) and error.hint, "what can't be written raises ExportError with a hint")
    require(exporter.write(iter(()), other) == 0 and other.exists(), "no samples give an empty file")
    left = {file.name for file in folder.iterdir()} - {path.name, other.name, "a file"}
    require(not left, f"nothing unfinished is left behind: {sorted(left)}")


def _error(exporter: Exporter, samples: Iterator[Sample], path: Path) -> Exception | None:
    try:
        exporter.write(samples, path)
    except Exception as exc:
        return exc
    return None
