"""The verbs `validate` and `schema`, as a user runs them."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.support import PATIENCE

Write = Callable[[Mapping[str, str | bytes]], Path]


def run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "mock_server", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE, check=False)


@pytest.fixture(autouse=True)
def python_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command runs in another directory, with this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def test_clean_directory(write: Write) -> None:
    """Warnings are printed and do not count as mistakes; the shipped accounts are known."""
    root = write({"scenarios/a.yaml": "scenario: a\nwhen: {key: demo-key}\nreading: {vin: SHORT}\n"})

    done = run("validate", "fixtures", cwd=root.parent)

    assert done.returncode == 0
    assert done.stdout == (
        'fixtures/scenarios/a.yaml:3:16: warning: the VIN "SHORT" has 5 characters, not 17'
        ' — text that is not a VIN goes under "text"\n'
    )
    assert "1 scenario," in done.stderr


def test_mistakes(write: Write) -> None:
    """Every mistake is a line on stdout, and the exit code is 1."""
    root = write({"scenarios/a.yaml": "scenario: a\npriority: 0\n", "scenarios/b.yaml": "scenario: b\nwhen: {x: y}\n"})

    done = run("validate", "fixtures", cwd=root.parent)

    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        'fixtures/scenarios/a.yaml:2:11: "priority" must be a whole number from 1 to 9, not "0"',
        'fixtures/scenarios/b.yaml:2:8: unknown key "x" in "when" — known: image, sha256, url, filename, key, account,'
        " provider, product, language, header, properties",
    ]


def test_damaged_picture(write: Write) -> None:
    """A picture is decoded as a whole, not only recognised."""
    root = write({"scenarios/a.yaml": "scenario: a\nwhen:\n  image: ../images/half.png\n"})
    data = (root / "images/car.png").read_bytes()
    write({"images/half.png": data[: len(data) // 2]})

    done = run("validate", "fixtures", cwd=root.parent)

    assert done.returncode == 1
    assert done.stdout == 'fixtures/scenarios/a.yaml:3:10: "../images/half.png" is damaged or ends early\n'


def test_same_picture_twice(write: Write) -> None:
    """Two scenarios whose pictures look the same are a mistake, unless they differ in another condition."""
    root = write({})
    write({"images/copy.png": (root / "images/car.png").read_bytes()})
    write({"scenarios/a.yaml": "scenario: a\nwhen:\n  image: ../images/car.png\n"})
    write({"scenarios/b.yaml": "scenario: b\nwhen:\n  image: ../images/copy.png\n"})

    done = run("validate", "fixtures", cwd=root.parent)

    assert done.returncode == 1
    assert done.stdout == (
        'fixtures/scenarios/b.yaml:3:10: "../images/copy.png" looks like a picture of "a" (fixtures/scenarios/a.yaml:1)'
        " — give boxes around what differs, or a further condition\n"
    )

    write({"scenarios/b.yaml": "scenario: b\nwhen:\n  image: ../images/copy.png\n  product: vin\n"})

    assert run("validate", "fixtures", cwd=root.parent).returncode == 0


def test_no_such_directory(tmp_path: Path) -> None:
    """A missing directory is a usage error of every verb that takes one."""
    for verb in (["validate", "nowhere"], ["serve", "nowhere"], ["exec", "nowhere", "--", "true"]):
        done = run(*verb, cwd=tmp_path)

        assert (done.returncode, done.stdout) == (2, "")
        assert "nowhere is not a directory" in done.stderr


def test_shipped_set(tmp_path: Path) -> None:
    """Without a directory the shipped set is checked; it has no mistakes."""
    assert run("validate", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("kind", ["", "scenario", "mock"])
def test_schema(kind: str, tmp_path: Path) -> None:
    """The schema is printed as JSON and is a JSON Schema."""
    done = run("schema", *filter(None, [kind]), cwd=tmp_path)

    assert done.returncode == 0
    schema = json.loads(done.stdout)
    Draft202012Validator.check_schema(schema)
    assert ("accounts" in schema["properties"]) is (kind == "mock")


def test_unknown_schema(tmp_path: Path) -> None:
    """Another word is a usage error."""
    assert run("schema", "reading", cwd=tmp_path).returncode == 2
