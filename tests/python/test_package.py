"""The package as a whole: what it exports, how it is loaded, what it must agree with."""

import re
import subprocess
import sys
import tomllib
from enum import EnumType
from importlib import resources
from pathlib import Path

import pytest

import seawall
from seawall import protocol

ROOT = Path(__file__).parents[2]


def python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_import_is_quick_and_loads_neither_pydantic_nor_typer() -> None:
    code = (
        "import time; t = time.perf_counter(); import seawall, sys; print(time.perf_counter() - t); "
        "print([m for m in ('pydantic', 'typer', 'rich', 'numpy', 'plotly') if m in sys.modules])"
    )
    seconds, loaded = zip(*(python(code).splitlines() for _ in range(3)), strict=True)
    assert min(map(float, seconds)) < 0.2
    assert set(loaded) == {"[]"}


def test_every_exported_name_is_there_and_documented() -> None:
    for name in seawall.__all__:
        value = getattr(seawall, name)
        assert name in dir(seawall)
        if callable(value) or isinstance(value, EnumType):
            assert value.__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = seawall.colour


def test_the_versions_agree() -> None:
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert seawall.__version__ == cargo["workspace"]["package"]["version"]
    assert f"## {seawall.__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_record_has_the_layout_of_the_page() -> None:
    page = (ROOT / "docs/mechanics.md").read_text(encoding="utf-8")
    rows = re.findall(r"\| (\d+) \| (\w+) \| ([ui]\d+)[^|]*\|", page)
    offsets = {name: (int(offset), int(kind[1:]) // 8) for offset, name, kind in rows}
    assert len(offsets) == 14
    fields = dict(protocol.COMMAND.fields or {})
    assert {name: (field[1], field[0].itemsize) for name, field in fields.items()} == offsets
    assert protocol.COMMAND.itemsize == 64


def constants(module: str) -> dict[str, int]:
    source = (ROOT / "rust/core/src/protocol.rs").read_text(encoding="utf-8")
    body = source.partition(f"pub mod {module} {{")[2].partition("\n}")[0]
    return {name: int(value) for name, value in re.findall(r"pub const (\w+): u16 = (\d+);", body)}


def variants(enum: str) -> list[tuple[str, str]]:
    files = (ROOT / "rust/core/src/protocol.rs", ROOT / "rust/core/src/protocol/phase.rs")
    source = "".join(file.read_text(encoding="utf-8") for file in files)
    body = source.partition(f"pub enum {enum} {{")[2].partition("\n}")[0]
    return [
        (re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper(), value)
        for name, value in re.findall(r"^\s+(\w+)(?: = (\d+))?,", body, flags=re.MULTILINE)
    ]


def test_names_and_numbers_are_those_of_the_core() -> None:
    assert {kind.name: kind.value for kind in protocol.CommandKind} == constants("command")
    assert {kind.name: kind.value for kind in protocol.EventKind} == constants("event")
    assert {reject.name: str(reject.value) for reject in protocol.Reject} == dict(variants("Reject"))
    assert [phase.name for phase in protocol.Phase] == [name for name, _ in variants("Phase")]
    assert [kind.name for kind in protocol.OrderType] == [name for name, _ in variants("OrderType")]
    assert [reason.name for reason in protocol.CancelReason] == [name for name, _ in variants("CancelReason")]


def test_every_kind_of_event_has_named_columns() -> None:
    assert set(protocol.EVENT_COLUMNS) == set(protocol.EventKind)
    fields = set(protocol.EVENT.names or ())
    assert all(set(columns.values()) <= fields for columns in protocol.EVENT_COLUMNS.values())


def test_the_package_carries_its_files() -> None:
    package = resources.files("seawall")
    for file in ("py.typed", "_core.pyi", "venues/reference.toml", "scenarios/oct10-2025.toml"):
        assert package.joinpath(file).is_file(), file


def test_every_extra_that_an_error_advises_exists() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    advised = []
    for file in (ROOT / "python").rglob("*.py"):
        source = file.read_text(encoding="utf-8")
        calls = re.findall(r'\blibrary\("([\w.]+)"(?:, extra="(\w+)")?\)', source)
        advised += [extra or name for name, extra in calls]
        advised += re.findall(r"seawall\[(\w+)\]", source)
    assert set(advised) == {"report", "polars", "pandas"}
    assert set(advised) <= set(extras)
