"""Every program on the plugin page is loaded as a plugin and does what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

import pytest

from symposia.host import Host
from symposia.offers import KINDS

PAGE = Path(__file__).resolve().parents[2] / "docs/plugins.md"
SECTIONS = re.findall(r"^## `(\w+)\(.*?\)`\n(.*?)(?=^## |\Z)", PAGE.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize(("hook", "section"), SECTIONS, ids=[hook for hook, _ in SECTIONS])
def test_the_program_is_a_plugin(hook: str, section: str) -> None:
    code = re.search(r"```python\n(.*?)```", section, re.S)
    assert code is not None, f"{hook} has no program"
    module = ModuleType(f"docs_{hook}")
    exec(compile(code.group(1), f"docs/plugins.md {hook}", "exec"), module.__dict__)
    plain = Host()
    host = Host(extra=[module])
    assert host.broken == []
    kinds = [kind for kind, name in KINDS.items() if name == hook]
    if kinds:
        assert len(host.offers(kinds[0])) == len(plain.offers(kinds[0])) + 1
    else:
        assert hasattr(module, hook)


def test_all_hooks_are_on_the_page() -> None:
    assert {hook for hook, _ in SECTIONS} == {*KINDS.values(), "register_commands", "resolve_secret", "on_event"}
