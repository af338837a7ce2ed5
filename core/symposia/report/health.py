"""What this machine has and what it lacks, each lack with what to do about it."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal, cast
from urllib.parse import urlsplit

from symposia.contracts import Backend
from symposia.errors import SymposiaError
from symposia.host import Host, Workbench
from symposia.models import KNOWN, find
from symposia.recipes import LoadedRecipe
from symposia.recipes.checking import roles_of
from symposia.records import JsonObject, RoleSpec

__all__ = ["Check", "check_machine", "check_recipe_endpoints", "check_recipe_parts"]

_LEAST_FREE = 1 << 30
_OLDEST = (3, 11)
_ENDPOINT_S = 20.0
_KEYS = (
    "OPENAI_API_KEY",
    "ANTHROPIC_API_KEY",
    "GEMINI_API_KEY",
    "MISTRAL_API_KEY",
    "OPENROUTER_API_KEY",
    "HF_TOKEN",
    "E2B_API_KEY",
)
_TRACING = ("LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*).*;.*extra\s*==\s*['\"]([A-Za-z0-9._-]+)['\"]")


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        area: What it is about: python, extras, models, keys, sandboxes, plugins, disk, telemetry, recipe,
            endpoints.
        name: The thing.
        status: ``ok``, ``absent`` (not there, and only needed by some recipes), or ``lack`` (stops the main job).
        detail: What was found; never the value of a secret.
        todo: What to do about it.
    """

    area: str
    name: str
    status: Literal["ok", "absent", "lack"]
    detail: str = ""
    todo: str = ""


def check_machine(host: Host, runs: Path) -> Iterator[Check]:
    """Everything that can be found out without a recipe and without a network.

    Args:
        host: The plugins.
        runs: Where runs would be kept.
    """
    yield _python()
    yield from _extras()
    yield from _models()
    yield from (_key(host, name) for name in _KEYS)
    yield from _sandboxes(host)
    yield from _plugins(host)
    yield _disk(runs)
    yield _telemetry()


def _python() -> Check:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    if sys.version_info < _OLDEST:
        return Check("python", "python", "lack", found, "install Python 3.11 or newer")
    return Check("python", "python", "ok", found)


def _extras() -> Iterator[Check]:
    """Extras of the installed distribution, with what is missing for each."""
    wanted: dict[str, list[str]] = {}
    for requirement in requires("symposia") or ():
        match = _REQUIREMENT.match(requirement)
        if match and match.group(2) != "dev":
            wanted.setdefault(match.group(2), []).append(match.group(1))
    for extra, names in sorted(wanted.items()):
        missing = [name for name in names if _version(name) is None]
        if missing:
            todo = f"pip install 'symposia[{extra}]'"
            yield Check("extras", extra, "absent", f"{', '.join(missing)} not installed", todo)
        else:
            yield Check("extras", extra, "ok", ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _models() -> Iterator[Check]:
    for name, weights in KNOWN.items():
        path = find(name)
        if path is None:
            size = f"{weights.size / 1e6:.0f} MB"
            todo = f"symposia models pull {name}  ({size}; `symposia demo` does it too)"
            yield Check("models", f"local/{name}", "absent", "not on this machine", todo)
        else:
            yield Check("models", f"local/{name}", "ok", str(path))


def _key(host: Host, name: str) -> Check:
    if host.secret(name):
        return Check("keys", name, "ok", "present")
    return Check("keys", name, "absent", "not set", "export it or put it into .env, if a recipe needs it")


def _sandboxes(host: Host) -> Iterator[Check]:
    offers = host.offers("sandbox")
    if not offers:
        yield Check("sandboxes", "none", "absent", "no plugin offers one", "only recipes that run code need one")
    for owned in offers:
        if owned.missing:
            detail = f"{', '.join(owned.missing)} not installed"
            yield Check("sandboxes", owned.name, "absent", detail, owned.install)
        else:
            yield Check("sandboxes", owned.name, "ok", owned.offer.summary)


def _plugins(host: Host) -> Iterator[Check]:
    owners = {owned.owner for owned in host.offers()}
    distributions = sorted({f"{owner.distribution} {owner.version}" for owner in owners})
    yield Check(
        "plugins",
        "offers",
        "ok" if owners else "lack",
        f"{len(host.offers())} from {', '.join(distributions) or 'nobody'}",
        "" if owners else "install Symposia itself (pip install symposia)",
    )
    for broken in host.broken:
        own = broken.owner.distribution == "symposia"
        todo = (
            "reinstall Symposia"
            if own
            else f"update or uninstall it, or set SYMPOSIA_BLOCK_PLUGINS={broken.owner.plugin}"
        )
        yield Check("plugins", str(broken.owner), "lack" if own else "absent", f"broken: {broken.error}", todo)


def _disk(runs: Path) -> Check:
    folder = runs.absolute()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    detail = f"{free / 1e9:,.1f} GB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Check("disk", "runs", "lack", f"{folder} can't be written", "choose another folder with --runs")
    if free < _LEAST_FREE:
        return Check("disk", "runs", "lack", detail, "make room, or choose another folder with --runs")
    return Check("disk", "runs", "ok", detail)


def _telemetry() -> Check:
    asked = [name for name in _TRACING if os.environ.get(name, "").lower() in {"1", "true"}]
    if asked:
        return Check("telemetry", "tracing", "absent", f"asked for by {', '.join(asked)}", f"unset {asked[0]}")
    return Check("telemetry", "telemetry", "ok", "off: nothing leaves this machine but a recipe's requests")


def check_recipe_parts(loaded: LoadedRecipe, host: Host) -> Iterator[Check]:
    """Whether the parts that a recipe names are installed, its keys are set and its weights are there."""
    recipe = loaded.recipe
    named: list[tuple[str, str]] = [("graph", recipe.graph)]
    named += [("verifier", verifier.use) for verifier in recipe.verifiers]
    named += [("exporter", export.use) for export in recipe.exports]
    named += [("judge", judge.use) for judge in recipe.roles.judges]
    if recipe.source is not None:
        named.append(("source", recipe.source.use))
    if recipe.novelty is not None:
        named += [("index", recipe.novelty.use), ("embedder", recipe.novelty.embedder.use)]
    named += sorted({("backend", role.backend) for _, role in roles_of(recipe)})
    for kind, name in named:
        owned = next(owned for owned in host.offers() if (owned.kind, owned.name) == (kind, name))
        if owned.missing:
            detail = f"needs {', '.join(owned.missing)}, which is not installed"
            yield Check(
                "recipe", f"{kind} {name}", "lack", detail, owned.install or f"pip install {owned.missing[0]}"
            )
    for key in sorted({role.api_key_env for _, role in roles_of(recipe) if role.api_key_env}):
        if host.secret(key):
            yield Check("recipe", f"key {key}", "ok", "present")
        else:
            yield Check("recipe", f"key {key}", "lack", "not set", f"export {key} or put it into .env")


async def check_recipe_endpoints(loaded: LoadedRecipe, host: Host) -> list[Check]:
    """Whether each model that a recipe names can be reached; nothing is generated."""
    seen: dict[tuple[str, str | None], tuple[str, RoleSpec]] = {}
    for path, role in roles_of(loaded.recipe):
        seen.setdefault((role.model, role.base_url), (str(path[1]), role))
    bench = Workbench(host, loaded.base)
    return list(await asyncio.gather(*(_endpoint(name, role, bench) for name, role in seen.values())))


async def _endpoint(name: str, role: RoleSpec, bench: Workbench) -> Check:
    title = f"{name} {role.model}"
    params: JsonObject = {
        **role.backend_params,
        "model": role.model_name,
        "base_url": role.base_url,
        "api_key_env": role.api_key_env,
        "parallel": 1,
    }
    try:
        backend = cast(Backend, bench.build("backend", role.backend, params))
    except SymposiaError as exc:
        return Check("endpoints", title, "lack", exc.message, exc.hint)
    try:
        async with asyncio.timeout(_ENDPOINT_S):
            await _connect(role.base_url)
            able = await backend.capabilities()
    except SymposiaError as exc:
        return Check("endpoints", title, "lack", exc.message, exc.hint)
    except (OSError, TimeoutError) as exc:
        why = "no answer" if isinstance(exc, TimeoutError) else str(exc)
        where = role.base_url or backend.endpoint
        return Check(
            "endpoints", title, "lack", f"{where}: {why}", "start the server, or mend base_url in the recipe"
        )
    finally:
        await backend.close()
    told = [word for word, has in (("json_schema", able.json_schema), ("logprobs", able.logprobs)) if has]
    context = f", {able.context_tokens:,} tokens of context" if able.context_tokens else ""
    return Check("endpoints", title, "ok", f"{backend.endpoint}: {', '.join(told) or 'plain text'}{context}")


async def _connect(base_url: str | None) -> None:
    if not base_url or "://" not in base_url:
        return
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    _, writer = await asyncio.open_connection(parts.hostname, port)
    writer.close()
