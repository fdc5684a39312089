"""The ledger of docs/fidelity.md and the tests that hold its rows: neither without the other."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LEDGER = TESTS.parent / "docs" / "fidelity.md"
ROW = re.compile(
    r"^\| (?P<row>[a-z0-9-]+) \| (?P<behaviour>.+) \| (?P<level>[DCIA]) \| (?P<source>.+)"
    r" \| (?P<held>.+) \| (?P<change>.+) \|$"
)
HELD = 5
"""The column *held by*, counted with the empty one before the first bar."""


def _pins() -> Iterator[tuple[str, str]]:
    """Each row that a test's decorators name, with the test as file::function."""
    for file in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        tables = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
                for row in _named(function.decorator_list, tables):
                    yield row, f"{file.relative_to(TESTS.parent).as_posix()}::{function.name}"


def _named(nodes: list[ast.expr], tables: dict[str, ast.expr]) -> Iterator[str]:
    for top in nodes:
        for node in ast.walk(top):
            if isinstance(node, ast.Name) and isinstance(tables.get(node.id), ast.List):
                yield from _named([tables[node.id]], {})
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "pins":
                yield from (str(ast.literal_eval(argument)) for argument in node.args)


def ledger_rows() -> list[re.Match[str]]:
    """The rows of the ledger."""
    lines = LEDGER.read_text(encoding="utf-8").splitlines()
    return [match for line in lines if (match := ROW.match(line))]


@cache
def holders() -> dict[str, list[str]]:
    """Each row that tests name, with these tests."""
    found: dict[str, list[str]] = {}
    for row, test in _pins():
        if test not in found.setdefault(row, []):
            found[row].append(test)
    return found


def _shown(tests: list[str]) -> str:
    return ", ".join(f"`{test.removeprefix('tests/')}`" for test in tests)


def test_every_row_has_a_test_and_every_test_its_row(pytestconfig: pytest.Config) -> None:
    """No row is without a test, no test names a row that is not there, and the table names its tests."""
    held_by = holders()
    if pytestconfig.getoption("--write-golden"):
        _write(held_by)
    rows = ledger_rows()
    names = [row["row"] for row in rows]

    assert len(names) == len(set(names)), "a row stands twice"
    assert set(names) - held_by.keys() == set(), "rows without a test"
    assert held_by.keys() - set(names) == set(), "tests of rows that are not in the ledger"
    assert {row["row"]: row["held"] for row in rows} == {name: _shown(held_by[name]) for name in names}


def test_the_table_is_read_whole() -> None:
    """Every line of the ledger's tables is a row, and says who says so unless it is an assumption."""
    lines = [line for line in LEDGER.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = ledger_rows()

    assert len(rows) == len([line for line in lines if not line.startswith("| row ")])
    assert [row["row"] for row in rows if row["level"] != "A" and row["source"] == "—"] == []


def _write(holders: dict[str, list[str]]) -> None:
    lines = LEDGER.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        if match := ROW.match(line):
            cells = line.split(" | ")
            cells[HELD - 1] = _shown(holders.get(match["row"], [])) or "?"
            lines[number] = " | ".join(cells)
    LEDGER.write_text("\n".join(lines) + "\n", encoding="utf-8")
