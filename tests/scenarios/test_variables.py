"""`${VAR}` and `${VAR:-default}` in fixture files."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mock_server.errors import FixturesError
from mock_server.scenarios.load import FixtureLoader, load
from mock_server.scenarios.scenario_reader import parse_scenario
from mock_server.scenarios.vocabulary import Vocabulary

Write = Callable[[Mapping[str, str | bytes]], Path]

MOCK = 'accounts: [{name: demo, key: "${A_KEY}"}]\nadmin_token: "${TOKEN:-none-given}"\nport: ${A_PORT:-8081}\n'
SCENARIO = 'scenario: a\nwhen: {key: "${A_KEY}", url: "https://${A_HOST:-cdn.example}/*"}\n'


@pytest.fixture
def root(write: Write) -> Path:
    """A directory with variables at every place."""
    return write({"mock.yaml": MOCK, "scenarios/a.yaml": SCENARIO})


def test_values(root: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables have their values; a default stands for an unset and for an empty variable."""
    monkeypatch.setenv("A_KEY", "secret-1")
    monkeypatch.setenv("A_PORT", "9000")
    monkeypatch.setenv("TOKEN", "")
    fixtures = load(root, vocabulary=vocabulary).set

    assert fixtures.accounts[0].key == "secret-1"
    assert fixtures.defaults.settings == {"admin_token": "none-given", "port": "9000"}
    assert (fixtures.scenarios[0].when.key, fixtures.scenarios[0].when.url) == ("secret-1", "https://cdn.example/*")


@pytest.mark.parametrize(
    ("mock", "line"),
    [
        (MOCK, "mock.yaml:1:30: the variable A_KEY is not set — ${A_KEY:-default} gives it a default"),
        ("port: ${A_PORT}\n", "mock.yaml:1:7: the variable A_PORT is not set — ${A_PORT:-default} gives it a default"),
        ("admin-token: '${A-B}'\n",
         'mock.yaml:1:14: "${A-B}" names no variable — write ${NAME} or ${NAME:-default}; $${ is a plain ${'),
    ],
)  # fmt: skip
def test_mistakes(write: Write, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, mock: str, line: str) -> None:
    """A variable without a value is one mistake, with its place."""
    monkeypatch.delenv("A_KEY", raising=False)
    root = write({"mock.yaml": mock, "scenarios/a.yaml": "scenario: a\n"})
    with pytest.raises(FixturesError) as caught:
        load(root, vocabulary=vocabulary)

    assert [str(mistake) for mistake in caught.value.mistakes] == [f"{root}/{line}"]


def test_secrets_are_not_shown(root: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mistake beside a value does not quote the value."""
    monkeypatch.setenv("A_KEY", "secret-1")
    (root / "scenarios" / "b.yaml").write_text("scenario: b\nwhen: {key: other}\n")
    (root / "mock.yaml").write_text(MOCK.replace("}]", '}, {key: "${A_KEY}"}]'))
    with pytest.raises(FixturesError) as caught:
        load(root, vocabulary=vocabulary)

    assert "secret-1" not in str(caught.value)


def test_the_cache_has_no_values(
    root: Path, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The values are not on disk, and the next start reads the variables again."""
    cache = tmp_path / "cache"
    for key in ("secret-1", "secret-2"):
        monkeypatch.setenv("A_KEY", key)
        loader = FixtureLoader(root, vocabulary=vocabulary, cache=cache)
        loaded = loader.load()
        loader.save()

        assert (loaded.set.accounts[0].key, loaded.set.scenarios[0].when.key) == (key, key)
        assert not any(b"secret" in file.read_bytes() for file in cache.rglob("*") if file.is_file())


def test_only_there_and_escaped(write: Write, vocabulary: Vocabulary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other texts keep their dollar signs; `$${` is a plain `${`."""
    monkeypatch.setenv("A_KEY", "secret-1")
    text = "scenario: a\nwhen: {url: 'https://x/$${A_KEY}'}\nreading: {plate: '${A_KEY}'}\n"
    scenario = load(write({"scenarios/a.yaml": text}), vocabulary=vocabulary).set.scenarios[0]

    assert (scenario.when.url, scenario.reading.plates[0].text) == ("https://x/${A_KEY}", "${A_KEY}")
    # A document that comes at run time cannot read the server's environment.
    assert parse_scenario("scenario: a\nwhen: {url: '${A_KEY}'}\n").when.url == "${A_KEY}"
