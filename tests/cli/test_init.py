"""The verb `init`: what it writes works as written."""

import json
import os
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.cli.command import COMMAND, on_path, run, served
from tests.support import PATIENCE

ROOT = Path(__file__).parents[2]
FILES = {
    "github-actions.yml",
    "images/my-car.jpg",
    "mock.schema.json",
    "mock.yaml",
    "scenario.schema.json",
    "scenarios/my-car.yaml",
    "test_my_car.py",
}


def init(here: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the verb in a directory."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [*COMMAND, "init", *arguments],
        cwd=here,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def run_shell(script: str, here: Path) -> str:
    """Run commands as they are printed, where `vehicle-ocr-mock` and `pytest` are on the path; return the output."""
    place = here / "bin"
    place.mkdir()
    ended = subprocess.run(
        ["sh", "-ec", script],
        cwd=here,
        env=on_path(place),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.parametrize("arguments", [(), ("my fixtures",), (".",)])
def test_its_files(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """All files are in the directory, by default `fixtures`; their paths are printed."""
    result = init(tmp_path, *arguments)
    root = tmp_path / (arguments[0] if arguments else "fixtures")

    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == FILES
    assert result.returncode == 0
    assert all(name in result.stdout for name in FILES)


def test_pytest_in_the_directory(tmp_path: Path) -> None:
    """The tests pass as written."""
    init(tmp_path)

    assert "3 passed" in run_shell("cd fixtures; pytest -q", tmp_path)


def test_the_commands_of_the_workflow(tmp_path: Path) -> None:
    """The last step of the CI file passes in the directory above, also where the name needs quotes."""
    init(tmp_path, "my fixtures")
    workflow = yaml.safe_load((tmp_path / "my fixtures" / "github-actions.yml").read_text())

    assert "3 passed" in run_shell(workflow["jobs"]["tests"]["steps"][-1]["run"], tmp_path)


def test_validate_has_nothing_to_say(tmp_path: Path) -> None:
    """A newcomer's first start prints no warning, such as one about a text that is too small."""
    init(tmp_path)

    assert "no mistakes, 0 warnings" in run("validate", str(tmp_path / "fixtures")).stderr


def test_the_files_fit_their_schemas(tmp_path: Path) -> None:
    """The first line of each file names a schema beside it, and the file is valid by that schema."""
    init(tmp_path)
    for path in (tmp_path / "fixtures" / "mock.yaml", tmp_path / "fixtures" / "scenarios" / "my-car.yaml"):
        text = path.read_text()
        schema = path.parent / text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
        jsonschema.validate(yaml.safe_load(text), json.loads(schema.read_text()))


def test_the_steps_in_comments_work(tmp_path: Path) -> None:
    """With the comments removed, the sequence fails twice and then reads."""
    init(tmp_path)
    path = tmp_path / "fixtures" / "scenarios" / "my-car.yaml"
    lines = [line for line in path.read_text().splitlines() if line.strip() != "- outcome: read"]
    path.write_text("\n".join(line.replace("  # - {", "  - {").replace("  # key:", "  key:") for line in lines))

    assert "{outcome: service_error, times: 2}" in path.read_text()
    with served(str(tmp_path / "fixtures")) as server:
        command = ["curl", "-s", "-F", f"image=@{tmp_path}/fixtures/images/my-car.jpg", "-H", "X-API-Key: demo-key"]
        url = f"{server.url}/api/ocr/plate"
        replies = [subprocess.run([*command, url], capture_output=True, check=True).stdout for _ in range(3)]

    assert json.loads(replies[2]) == {"result": "7XYZ123"}
    assert b"7XYZ123" not in replies[0] + replies[1]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there is named, and no file is written."""
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "mock.yaml").write_text("accounts: []\n")
    result = init(tmp_path)

    assert result.returncode == 1
    assert "mock.yaml already there" in result.stderr
    assert [path.name for path in (tmp_path / "fixtures").iterdir()] == ["mock.yaml"]
