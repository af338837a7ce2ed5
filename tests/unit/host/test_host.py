"""The plugin door: loading, clashes, broken plugins, allow and block lists."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

from symposia import hookimpl
from symposia.errors import MissingExtraError, PluginError, RecipeError
from symposia.host import Host, Workbench
from symposia.offers import BuildContext, Offer, Params, TextOffer


class Strict(Params):
    least: int = 1


def build(params: Strict, context: BuildContext) -> object:
    return ("built", params.least, context.base)


def broken_build(params: Params, context: BuildContext) -> object:
    raise RuntimeError("boom")


class Plugin:
    """A plugin object with one offer of a kind."""

    def __init__(self, name: str, offers: list[Offer[object]]) -> None:
        self.__name__ = name
        self.offers = offers

    @hookimpl
    def register_tools(self) -> list[Offer[object]]:
        return self.offers


def offer(name: str, **more: object) -> Offer[object]:
    fields: dict[str, object] = {"name": name, "build": build, "summary": "A thing.", "params": Strict, **more}
    return Offer(**fields)  # type: ignore[arg-type]


def test_built_ins_come_in_through_entry_points() -> None:
    owners = {owned.owner.distribution for owned in Host(allow=[]).offers()}
    assert owners == {"symposia"}
    assert Host().broken == []


def test_an_offer_is_found_built_and_owned() -> None:
    host = Host(extra=[Plugin("mine", [offer("hammer")])])
    owned = host.find("tool", "hammer")
    assert (owned.owner.distribution, owned.missing, owned.install) == ("mine", (), "")
    bench = Workbench(host, Path("/base"))
    assert bench.build("tool", "hammer", {"least": 3}) == ("built", 3, Path("/base"))


def test_an_unknown_name_gets_a_suggestion() -> None:
    host = Host(extra=[Plugin("mine", [offer("hammer"), offer("saw")])])
    with pytest.raises(PluginError, match=r"no tool is called 'hamer'[\s\S]*did you mean 'hammer'"):
        host.find("tool", "hamer")


def test_a_duplicate_name_names_both_distributions() -> None:
    with pytest.raises(PluginError, match=r"'hammer' is offered twice: by mine 0 .*and by yours 0"):
        Host(extra=[Plugin("mine", [offer("hammer")]), Plugin("yours", [offer("hammer")])])


def test_a_wrong_parameter_names_the_part_and_the_known_ones() -> None:
    host = Host(extra=[Plugin("mine", [offer("hammer")])])
    with pytest.raises(RecipeError, match=r"tool 'hammer': lest[\s\S]*did you mean 'least'"):
        host.params("tool", "hammer", {"lest": 3})
    with pytest.raises(RecipeError, match=r"least: .*integer"):
        host.params("tool", "hammer", {"least": "many"})


def test_a_missing_library_says_what_to_install() -> None:
    host = Host(extra=[Plugin("mine", [offer("hammer", extra="steel", requires=("no_such_module_xyz",))])])
    with pytest.raises(MissingExtraError, match=r"needs no_such_module_xyz[\s\S]*pip install 'mine\[steel\]'"):
        Workbench(host, Path()).build("tool", "hammer", {})


def test_a_part_that_cannot_be_built_is_attributed() -> None:
    host = Host(extra=[Plugin("mine", [offer("hammer", build=broken_build, params=Params)])])
    with pytest.raises(PluginError, match=r"tool 'hammer' of mine 0 .* could not be built: RuntimeError: boom"):
        Workbench(host, Path()).build("tool", "hammer", {})


def test_a_hook_that_raises_breaks_only_its_plugin() -> None:
    class Bad:
        __name__ = "bad"

        @hookimpl
        def register_tools(self) -> list[Offer[object]]:
            raise RuntimeError("no tools today")

    host = Host(extra=[Bad(), Plugin("mine", [offer("hammer")])])
    assert [(b.owner.distribution, b.error) for b in host.broken] == [
        ("bad", "register_tools: RuntimeError: no tools today")
    ]
    with pytest.raises(PluginError, match="broken plugins may have offered it: bad"):
        host.find("tool", "wrench")


def test_a_misspelt_hook_breaks_only_its_plugin() -> None:
    module = ModuleType("misspelt")

    @hookimpl
    def register_toools() -> list[Offer[object]]:
        return []

    module.register_toools = register_toools  # type: ignore[attr-defined]
    host = Host(extra=[module])
    assert "register_toools" in host.broken[0].error
    assert host.offers("graph") == Host().offers("graph")


@pytest.mark.parametrize(
    ("files", "found", "broken"),
    [
        ({"good_plugin": "good"}, ["good-tool"], []),
        ({"good_plugin": "good", "raising_plugin": "raising"}, ["good-tool"], ["ImportError: not here"]),
    ],
)
def test_installed_plugins_are_loaded_and_broken_ones_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], found: list[str], broken: list[str]
) -> None:
    for name, kind in files.items():
        install(tmp_path, name, kind)
    monkeypatch.syspath_prepend(str(tmp_path))
    host = Host()
    assert [o.name for o in host.offers("tool")] == found
    assert [b.error for b in host.broken] == broken


def test_allow_and_block_lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "good_plugin", "good")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Host(block=["dist-good-plugin"]).offers("tool") == []
    assert Host(allow=["something-else"]).offers("tool") == []
    assert Host(allow=["something-else"]).offers("graph") == Host(block=["good_plugin"]).offers("graph")
    assert len(Host(allow=["good_plugin"]).offers("tool")) == 1
    monkeypatch.setenv("SYMPOSIA_BLOCK_PLUGINS", "good_plugin, other")
    assert Host().offers("tool") == []
    monkeypatch.setenv("SYMPOSIA_BLOCK_PLUGINS", "")
    monkeypatch.setenv("SYMPOSIA_PLUGINS", "none")
    assert Host().offers("tool") == []


def test_two_plugins_of_one_name_name_both_distributions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "good_plugin", "good")
    install(tmp_path, "good_plugin", "good", distribution="dist-other")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(PluginError, match="'good_plugin' is taken twice: by dist-good-plugin and by dist-other"):
        Host()


def test_text_offers_are_found(tmp_path: Path) -> None:
    class Texts:
        __name__ = "texts"

        @hookimpl
        def register_recipes(self) -> list[TextOffer]:
            return [TextOffer("mine", tmp_path / "mine.yaml", "A recipe.")]

    assert Host(extra=[Texts()]).text("recipe", "mine").path == tmp_path / "mine.yaml"


GOOD = """
import symposia

def build(params, context):
    return params

@symposia.hookimpl
def register_tools():
    return [symposia.Offer("good-tool", build, "A tool.")]
"""
SOURCES = {"good": GOOD, "raising": "raise ImportError('not here')"}


def install(folder: Path, name: str, kind: str, distribution: str | None = None) -> None:
    """Lay a distribution with one entry point into a folder, as an installer would."""
    distribution = distribution or "dist-" + name.replace("_", "-")
    (folder / f"{name}.py").write_text(SOURCES[kind])
    info = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[symposia]\n{name} = {name}\n")
