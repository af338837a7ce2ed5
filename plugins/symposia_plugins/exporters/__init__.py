"""Built-in exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Exporter

__all__ = ["register_exporters"]


def _build_jsonl(params: symposia.Params, bench: symposia.BuildContext) -> Exporter:
    from symposia_plugins.exporters.jsonl import JsonlExporter

    return JsonlExporter()


@symposia.hookimpl
def register_exporters() -> list[symposia.Offer[Exporter]]:
    """Offer ``jsonl``."""
    return [symposia.Offer("jsonl", _build_jsonl, "Chat messages and metadata, one JSON object a line.")]
