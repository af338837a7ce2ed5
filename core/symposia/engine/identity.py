"""What makes a run the same run: everything that decides its content, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from symposia.records import JsonObject, Recipe, canonical_json, content_hash

__all__ = ["Fingerprints", "identify", "thaw"]

_ADDRESS = ("base_url", "api_key_env", "timeout_s")
_FREE = ("description", "samples", "exports", "limits", "roles")


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of what a recipe only names.

    Attributes:
        source: Digest of the source; empty without one.
        graph: Fingerprint of the graph.
        constitution: Hash of the constitution; empty without one.
        critic: Fingerprint of the critic; empty without one.
        personas: Hash of the personas; empty without any.
        verifiers: Versions, in recipe order.
        judges: Fingerprints, in recipe order.
    """

    source: str = ""
    graph: str = ""
    constitution: str = ""
    critic: str = ""
    personas: str = ""
    verifiers: tuple[str, ...] = ()
    judges: tuple[str, ...] = ()


def identify(recipe: Recipe, prints: Fingerprints) -> str:
    """Hash of all that decides content.

    ``samples``, caps, ``in_flight``, addresses, keys and exports are left out: they may change between resumes. An
    explicit window counts; a default one is frozen at the first start instead.
    """
    content = recipe.model_dump(mode="json", exclude=set(_FREE))
    roles = recipe.roles.model_dump(mode="json")
    content["roles"] = {
        "teacher": _without_address(roles["teacher"]),
        "critic": roles["critic"] and _without_address(roles["critic"]),
        "reviser": roles["reviser"] and _without_address(roles["reviser"]),
        "judges": [_without_address(judge) for judge in roles["judges"]],
    }
    content["window"] = recipe.limits.window
    content["fingerprints"] = {
        "source": prints.source,
        "graph": prints.graph,
        "constitution": prints.constitution,
        "critic": prints.critic,
        "personas": prints.personas,
        "verifiers": list(prints.verifiers),
        "judges": list(prints.judges),
    }
    return content_hash(content)


def _without_address(role: JsonObject) -> JsonObject:
    return {key: value for key, value in role.items() if key not in _ADDRESS}


def thaw(recipe: Recipe, frozen: Recipe | None) -> Recipe:
    """The recipe to run: what the command says now, with the window that was frozen at the first start.

    Args:
        recipe: What the command says; of the same identity as ``frozen``.
        frozen: The recipe of the first start, or None at the first start.
    """
    limits = recipe.limits
    window = frozen.limits.window if frozen else limits.window or 4 * limits.in_flight
    assert window is not None  # frozen recipes always hold a number
    in_flight = min(limits.in_flight, window)
    return recipe.model_copy(
        update={"limits": limits.model_copy(update={"window": window, "in_flight": in_flight})}
    )


def changed_settings(recipe: Recipe, frozen: Recipe) -> list[str]:
    """Settings that differ from the first start though the run is the same, for the log."""
    old, new = frozen.model_dump(mode="json"), recipe.model_dump(mode="json")
    return [key for key in _FREE if canonical_json(old[key]) != canonical_json(new[key])]
