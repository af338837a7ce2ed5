"""The verbs: what `symposia --help` shows, without loading any of them."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["SECTIONS", "VERBS", "help_text"]

SECTIONS: dict[str, dict[str, str]] = {
    "Make samples": {
        "demo": "Watch a small model on this machine negotiate a few samples.",
        "new": "Write a commented recipe to start from.",
        "run": "Run a recipe, or go on with a run that was interrupted.",
        "review": "Decide about the samples that wait for a person.",
        "export": "Write the accepted samples of a run in a format.",
    },
    "Look at them": {
        "ls": "List the runs.",
        "show": "Show a run, or the whole conversation about one of its tasks.",
        "cache": "Explain, count and export the stored answers of models.",
    },
    "Set things up": {
        "doctor": "Check this machine and say what to do about each lack.",
        "models": "List, fetch and remove the models that run on this machine.",
        "plugins": "List what plugins offer, and what is missing for it.",
        "constitution": "List, show and lint constitutions.",
        "config": "Show a recipe with the origin of each value, or its JSON schema.",
    },
}
"""Summary by verb, in the order of the help; each has a module of its name in `symposia.cli.commands`."""

VERBS: dict[str, str] = {verb: summary for verbs in SECTIONS.values() for verb, summary in verbs.items()}


def help_text(width: int, plugins: Mapping[str, str], notes: tuple[str, ...] = ()) -> str:
    """The page that `symposia --help` prints.

    Args:
        width: Longest line, characters.
        plugins: Summary by verb of what plugins add.
        notes: Lines to put at the end.
    """
    sections = {**SECTIONS, **({"From plugins": dict(plugins)} if plugins else {})}
    room = max(len(verb) for verbs in sections.values() for verb in verbs) + 2
    lines = [
        "Usage: symposia COMMAND [ARGS]...",
        "",
        "  Training data for language models, negotiated sample by sample.",
    ]
    for title, verbs in sections.items():
        lines += ["", f"{title}:"]
        for verb, summary in verbs.items():
            lines += _entry(f"  {verb:<{room}}", summary, width)
    lines += ["", "Options:"]
    lines += _entry(f"  {'--version':<{room}}", "Show the version.", width)
    lines += _entry(f"  {'--help':<{room}}", "Show this page; after a command, what that command takes.", width)
    lines += ["", "First steps: symposia doctor · symposia demo · symposia new my-recipe", *notes]
    return "\n".join(lines) + "\n"


def _entry(head: str, text: str, width: int) -> list[str]:
    lines, line = [], head
    for word in text.split():
        gap = "" if line == head or not line.strip() else " "
        if len(line) + len(gap) + len(word) > width and line.strip() != head.strip():
            lines.append(line)
            line, gap = " " * len(head), ""
        line += gap + word
    return [*lines, line]
