"""Whether the parts that a recipe names are there and take the parameters it gives them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from symposia.constitutions import load_constitution
from symposia.errors import SymposiaError, did_you_mean
from symposia.host import Host
from symposia.models import KNOWN
from symposia.offers import Kind, Offer
from symposia.records import JsonObject, JsonValue, PartSpec, Recipe, RoleSpec
from symposia.yamldoc import KeyPath, Problem, problems_of

__all__ = ["find_problems", "find_secrets", "roles_of"]

_SECRET_KEYS = frozenset(
    {
        "accesskey",
        "accesstoken",
        "apikey",
        "authorization",
        "authtoken",
        "bearertoken",
        "passwd",
        "password",
        "secret",
        "secretkey",
        "token",
    }
)
"""Key names, small letters and digits only, whose value is a secret."""
_KEY_STARTS = ("sk-", "hf_", "gsk_", "AIza", "xai-", "ghp_", "github_pat_", "glpat-", "Bearer ")


def find_secrets(value: JsonValue, path: KeyPath = ()) -> Iterator[Problem]:
    """Keys and passwords that were written into a recipe; the problems do not repeat them."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from find_secrets(item, (*path, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from find_secrets(item, (*path, key))
    elif isinstance(value, str) and value and path:
        problem = _secret_in(str(path[-1]), value, path)
        if problem is not None:
            yield problem


def _secret_in(key: str, value: str, path: KeyPath) -> Problem | None:
    plain = "".join(char for char in key.lower() if char.isalnum())
    if plain in _SECRET_KEYS:
        return Problem(
            path, "a recipe holds no secrets", "export the key and name its variable: api_key_env: MY_API_KEY"
        )
    if key == "api_key_env" and (value.startswith(_KEY_STARTS) or not value.replace("_", "").isalnum()):
        return Problem(
            path, "this looks like a key itself", "give the NAME of the environment variable that holds it"
        )
    if key == "base_url" and "@" in value.split("://", 1)[-1].split("/", 1)[0]:
        return Problem(path, "an address with a user or password in it", "leave it out and use api_key_env")
    return None


def roles_of(recipe: Recipe) -> Iterator[tuple[KeyPath, RoleSpec]]:
    """Every named role with its key path."""
    roles = recipe.roles
    for name, spec in (("teacher", roles.teacher), ("critic", roles.critic), ("reviser", roles.reviser)):
        if spec is not None:
            yield ("roles", name), spec
    for number, judge in enumerate(roles.judges):
        yield ("roles", "judges", number), judge


def find_problems(recipe: Recipe, host: Host, base: Path) -> list[Problem]:
    """All names that nobody offers and all parameters that their part does not take.

    Args:
        recipe: A recipe that is valid in itself.
        host: Who offers parts.
        base: Folder against which relative paths are read.
    """
    found = list(_part(host, "graph", recipe.graph, recipe.parameters, ("graph",), ("parameters",)))
    for path, role in roles_of(recipe):
        found += [_inside_role(problem, path, role) for problem in _backend(host, role, path)]
        found += _weights(role, path)
    for number, judge in enumerate(recipe.roles.judges):
        path = ("roles", "judges", number)
        found += _part(host, "judge", judge.use, judge.params, (*path, "use"), (*path, "params"))
    for kind, path, spec in _specs(recipe):
        found += _part(host, kind, spec.use, spec.params, (*path, "use"), path)
    if recipe.novelty is not None:
        found += _part(host, "index", recipe.novelty.use, {}, ("novelty", "use"), ("novelty",))
    if recipe.constitution is not None:
        found += _constitution(recipe.constitution, host, base)
    return found


def _backend(host: Host, role: RoleSpec, path: KeyPath) -> list[Problem]:
    params: JsonObject = {
        **role.backend_params,
        "model": role.model_name,
        "base_url": role.base_url,
        "api_key_env": role.api_key_env,
    }
    return _part(host, "backend", role.backend, params, (*path, "model"), path)


def _inside_role(problem: Problem, path: KeyPath, role: RoleSpec) -> Problem:
    """A problem with a parameter of the backend, at the key under which the role gives it."""
    rest = problem.path[len(path) :]
    if rest and rest[0] in role.backend_params:
        return replace(problem, path=(*path, "backend_params", *rest))
    return problem


def _weights(role: RoleSpec, path: KeyPath) -> list[Problem]:
    """A local model is a file or one that can be pulled; which these are is known before anything is built."""
    name = role.model_name
    if role.backend != "local" or name in KNOWN or name.endswith(".gguf"):
        return []
    hint = f"{did_you_mean(name, list(KNOWN))}; or give the path of a GGUF file: local/path/to/model.gguf"
    return [Problem((*path, "model"), f"no local model is called '{name}'", hint)]


def _specs(recipe: Recipe) -> Iterator[tuple[Kind, KeyPath, PartSpec]]:
    if recipe.source is not None:
        yield "source", ("source",), recipe.source
    if recipe.personas is not None:
        yield "personas", ("personas",), recipe.personas
    if recipe.constitution is not None:
        yield "critic", ("critic",), recipe.critic
    if recipe.novelty is not None:
        yield "embedder", ("novelty", "embedder"), recipe.novelty.embedder
    for number, verifier in enumerate(recipe.verifiers):
        yield "verifier", ("verifiers", number), verifier
    for number, export in enumerate(recipe.exports):
        yield "exporter", ("exports", number), export


def _part(
    host: Host, kind: Kind, name: str, params: JsonObject, name_at: KeyPath, params_at: KeyPath
) -> list[Problem]:
    try:
        offer = cast("Offer[Any]", host.find(kind, name).offer)
    except SymposiaError as exc:
        return [Problem(name_at, exc.message, exc.hint)]
    try:
        offer.params.model_validate(params)
    except ValidationError as exc:
        return problems_of(exc, offer.params, params_at)
    return []


def _constitution(ref: str, host: Host, base: Path) -> list[Problem]:
    try:
        load_constitution(ref, base=base, host=host)
    except SymposiaError as exc:
        return [Problem(("constitution",), exc.message, exc.hint)]
    return []
