"""Prompt templates: sandboxed jinja2, with all foreign text fenced as data.

What a model wrote and what a document holds is hostile input to the next prompt. Templates therefore put it through
the ``fenced`` filter: ``{{ passage | fenced("passage") }}`` gives the text between ``<passage>`` tags, with every
look-alike of such a tag inside it made harmless.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from symposia.errors import GraphError

__all__ = ["Prompt", "fenced"]

_TAG = re.compile(r"<(?=\s*/?\s*[A-Za-z][\w-]*\s*/?>)")
_CHATML = re.compile(r"<\|(?=[^<>|]{1,40}\|>)")


def fenced(text: object, tag: str = "text") -> str:
    """``text`` as data between ``<tag>`` and ``</tag>``.

    An opening angle bracket that starts a tag or a chat-template marker is replaced by ``‹``, so that the text
    can't close its fence or open another.
    """
    harmless = _CHATML.sub("‹|", _TAG.sub("‹", str(text)))
    return f"<{tag}>\n{harmless}\n</{tag}>"


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )
    environment.filters["fenced"] = fenced
    return environment


class Prompt:
    """A template that is compiled once.

    Args:
        text: The template.
        name: How errors call it, for example its file name.
    """

    def __init__(self, text: str, name: str = "prompt") -> None:
        self.text = text
        self.name = name
        self._template = _environment().from_string(text)

    @classmethod
    def read(cls, path: Path) -> Prompt:
        """The template in a file; shipped prompts lie beside the module that uses them."""
        return cls(path.read_text(encoding="utf-8"), path.name)

    def render(self, **values: Any) -> str:
        """The prompt with its values put in, without surrounding blank space.

        Raises:
            GraphError: A value is missing, or the template does something it must not.
        """
        try:
            return self._template.render(**values).strip()
        except TemplateError as exc:
            raise GraphError(f"prompt {self.name}: {exc}") from exc
