"""What the README and the examples show runs as printed."""

import re
import runpy
import sys
from pathlib import Path

import pytest

from conftest import SMALL

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("code", "printed"), BLOCKS, ids=[f"block {n}" for n in range(len(BLOCKS))])
def test_a_block_of_the_readme_prints_what_it_says(code: str, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {"__name__": "readme"})  # noqa: S102 - our own page
    assert capsys.readouterr().out == printed


def test_the_readme_opens_with_the_two_commands() -> None:
    head = README[:1200]
    assert head.index("make replay") < head.index("make test")
    assert BLOCKS


def test_every_file_that_the_readme_links_is_there() -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_run(example: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(SMALL), "500"] if "scenario" in example.read_text(encoding="utf-8") else []
    monkeypatch.setattr(sys, "argv", [str(example), *arguments])
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out
