"""Built-in sources: rows of a JSON Lines file, passages of text documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, model_validator

import symposia

if TYPE_CHECKING:
    from symposia.contracts import Source

__all__ = ["DocumentsParams", "JsonlParams", "register_sources"]


class JsonlParams(symposia.Params):
    """Parameters of the source ``jsonl``.

    Attributes:
        path: The file, relative to the recipe's folder.
        fields: Keys of a row that are kept, in this order; all when empty.
    """

    path: str
    fields: tuple[str, ...] = ()


class DocumentsParams(symposia.Params):
    """Parameters of the source ``documents``.

    A token is a run of at most 16 letters and digits, a single Chinese, Japanese or Korean character, or any other
    visible mark. This needs no model, and is within a third of what the tokenizers of common models count.

    Attributes:
        path: A file, a folder (read with its subfolders) or a glob, relative to the recipe's folder.
        tokens: Most tokens of a passage.
        overlap: Most tokens that a passage repeats from the end of the one before it, in whole sentences.
        min_tokens: Sections with fewer tokens than this make no passage.
    """

    path: str
    tokens: int = Field(default=220, ge=8, le=100_000)
    overlap: int = Field(default=32, ge=0)
    min_tokens: int = Field(default=12, ge=1)

    @model_validator(mode="after")
    def _overlap_leaves_room(self) -> DocumentsParams:
        if self.overlap * 2 > self.tokens:
            raise ValueError(f"overlap ({self.overlap}) must be at most half of tokens ({self.tokens})")
        if self.min_tokens > self.tokens:
            raise ValueError(f"min_tokens ({self.min_tokens}) must be at most tokens ({self.tokens})")
        return self


def _build_jsonl(params: JsonlParams, bench: symposia.BuildContext) -> Source:
    from symposia_plugins.sources.jsonl import JsonlSource

    return JsonlSource(bench.base, params)


def _build_documents(params: DocumentsParams, bench: symposia.BuildContext) -> Source:
    from symposia_plugins.sources.documents import DocumentSource

    return DocumentSource(bench.base, params)


@symposia.hookimpl
def register_sources() -> list[symposia.Offer[Source]]:
    """Offer ``jsonl`` and ``documents``."""
    return [
        symposia.Offer("jsonl", _build_jsonl, "Rows of a JSON Lines file.", JsonlParams),
        symposia.Offer(
            "documents",
            _build_documents,
            "Passages of text and Markdown files, cut at sentence ends, with overlap.",
            DocumentsParams,
        ),
    ]
