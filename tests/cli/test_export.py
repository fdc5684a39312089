"""The verb `export`."""

from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from mock_server import MockServer
from mock_server.cli.export import command
from tests.cli.command import served
from tests.support import PATIENCE, picture, vehicore

TOKEN = "a-token-for-tests"


def export(*arguments: str | Path, token: str | None = None) -> tuple[int, str]:
    """Run the verb; return its exit code and its output on one line."""
    environment = {"VEHICLE_OCR_MOCK_ADMIN_TOKEN": token}
    result = CliRunner().invoke(command, [str(argument) for argument in arguments], env=environment)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, " ".join(result.output.split())


def test_serve_takes_what_export_writes(mock: MockServer, tmp_path: Path) -> None:
    """The directory is created, and another server serves the runtime scenario too."""
    mock.add_scenario({"scenario": "added", "when": {"image": picture("car")}, "reading": {"plate": "ADDED"}})
    try:
        code, said = export(mock.url, tmp_path / "new" / "copy")
    finally:
        mock.remove_scenario("added")
    with served(str(tmp_path / "new" / "copy")) as copy, httpx.Client(base_url=copy.url, timeout=PATIENCE) as client:
        reply = vehicore(client)

    assert code == 0, said
    assert said.startswith("wrote ")
    assert said.endswith("pictures")
    assert (reply.json(), reply.headers["x-mock-scenario"]) == ({"result": "ADDED"}, "added")


def test_a_directory_with_files_is_kept(mock: MockServer, tmp_path: Path) -> None:
    """Without --replace nothing is written; with it, fixtures are replaced."""
    (tmp_path / "mock.yaml").write_text("accounts: []\n")
    refused = export(mock.url, tmp_path)
    kept = (tmp_path / "mock.yaml").read_text()
    replaced = export(mock.url, tmp_path, "--replace")

    assert (refused[0], kept) == (1, "accounts: []\n")
    assert "is not empty; give another DIRECTORY, or --replace" in refused[1]
    assert replaced[0] == 0
    assert "demo-key" in (tmp_path / "mock.yaml").read_text()


def test_a_token_is_sent(tmp_path: Path) -> None:
    """From the option or the environment; without it the mock refuses, and nothing is written."""
    with MockServer(admin_token=TOKEN) as guarded:
        with pytest.raises(Exception, match="token"):
            export(guarded.url, tmp_path / "a")
        assert export(guarded.url, tmp_path / "b", "--token", TOKEN)[0] == 0
        assert export(guarded.url, tmp_path / "c", token=TOKEN)[0] == 0
    assert not (tmp_path / "a").exists()
    assert TOKEN not in (tmp_path / "b" / "mock.yaml").read_text()


def test_nothing_answers(tmp_path: Path) -> None:
    """A wrong address is a plain message."""
    assert export("localhost:8080", tmp_path / "a")[0] == 2
    code, said = export("http://127.0.0.1:1", tmp_path / "a")

    assert (code, "http://127.0.0.1:1 does not answer" in said) == (1, True)
