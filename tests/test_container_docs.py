"""The container commands and compose files that the documents show agree with the Dockerfile and the command line."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import yaml

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE
from mock_server.cli.verbs import command_line
from mock_server.settings import ENVIRONMENT_PREFIX, Settings

ROOT = Path(__file__).parent.parent
IMAGE = "vehicle-ocr-mock"
SHOWN_IN = sorted(
    path
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("*.yaml"),
        ROOT / "Dockerfile",
        *(ROOT / "docs").glob("*.md"),
        *(ROOT / "examples").rglob("*"),
    ]
    if path.is_file()
)
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
EXPOSED = set(re.findall(r"^EXPOSE (.*)$", DOCKERFILE, re.MULTILINE)[-1].split())
# /config and /ca are what the entry point and VEHICLE_OCR_MOCK_CA_DIR name; a directory may also be named in a command.
MOUNTS = {"/config", "/ca"}
_SHOWN = re.compile(r"(?:^|[`#*/:]|&&)[ ]*((?:docker|podman) [^`\n]*)", re.MULTILINE)
_WITH_VALUE = {
    "build": {"-t", "--format", "--build-arg"},
    "run": {"-p", "-v", "-e"},
    "compose": {"--exit-code-from"},
    "push": set[str](),
}
_FLAGS = {"build": set[str](), "run": {"--rm"}, "compose": {"--build"}, "push": set[str]()}


class Shown(NamedTuple):
    """A command for containers: the file that shows it, the program, its verb, options with values, other words."""

    path: Path
    program: str
    verb: str
    options: tuple[tuple[str, str], ...]
    words: tuple[str, ...]


def shown() -> Iterator[Shown]:
    """Every such command in the repository."""
    for path in SHOWN_IN:
        text = re.sub(r"\\\n\s*", " ", path.read_text(encoding="utf-8", errors="replace"))
        for line in _SHOWN.findall(text):
            program, *rest = shlex.split(re.split(r" && |, then", line)[0], comments=True)
            if rest and rest[0] in _WITH_VALUE:
                yield _parsed(path, program, rest)


def _parsed(path: Path, program: str, rest: list[str]) -> Shown:
    verb, *words = rest
    options: list[tuple[str, str]] = []
    others: list[str] = []
    while words:
        word = words.pop(0)
        if others and verb == "run":
            others.append(word)
        elif word in _WITH_VALUE[verb]:
            options.append((word, words.pop(0)))
        elif word.startswith("-") and "exec" not in others:
            assert word in _FLAGS[verb], f"{path}: {word}"
        else:
            others.append(word)
    return Shown(path, program, verb, tuple(options), tuple(others))


def _check_words(words: list[str]) -> None:
    """The words after the image are a command of the mock."""
    verb, *arguments = words
    command = command_line.get_command(click.Context(command_line), verb)

    assert command is not None, words
    command.make_context(verb, arguments)


def _is_port_of_the_image(text: str, own: set[str]) -> bool:
    *_, container = text.split(":")
    return container in own


COMMANDS = list(shown())


@pytest.mark.parametrize("one", COMMANDS, ids=lambda one: f"{one.path.name}: {one.verb}")
def test_a_command_for_containers(one: Shown) -> None:
    """Its image is built, its ports are exposed, its mounts are read, and the words after it are a command."""
    if one.verb == "build":
        tags = [value for name, value in one.options if name == "-t"]
        assert all(tag.rpartition("/")[2] == IMAGE for tag in tags)
        # A sentence may leave out the context.
        assert one.words == (".",) or one.program == "podman"
        assert "--format" not in dict(one.options) or one.program == "podman"
    if one.verb == "run":
        image, *words = one.words
        assert image == IMAGE
        for name, value in one.options:
            if name == "-p":
                assert value.startswith("127.0.0.1:")
                assert _is_port_of_the_image(value, EXPOSED)
            elif name == "-v":
                source, target = value.removesuffix(":ro").split(":")
                assert target in MOUNTS
                assert (ROOT / source.removeprefix("$PWD/")).is_dir()
            elif name == "-e":
                Settings.resolve({}, {}, dict([value.split("=", 1)]))
        if words:
            _check_words(words)
    if one.verb == "compose":
        verb, *words = one.words
        assert verb in ("up", "exec")
        services = yaml.safe_load(one.path.read_text(encoding="utf-8"))["services"]
        named = [value for name, value in one.options if name == "--exit-code-from"]
        if verb == "exec":
            named.append(words[0])
            assert words[1] == "vehicle-ocr-mock"
            _check_words(words[2:])
        assert set(named) <= set(services)


def test_commands_are_found() -> None:
    """The search cannot pass because it finds nothing."""
    found = {(one.path.name, one.program, one.verb) for one in COMMANDS}

    assert found >= {
        ("README.md", "docker", "build"),
        ("README.md", "docker", "run"),
        ("testing.md", "podman", "build"),
        ("compose.yaml", "docker", "compose"),
    }


def compose_files() -> Iterator[tuple[str, Path, Any]]:
    """The compose files, also those inside documents, with the directory that they are in."""
    for path in SHOWN_IN:
        if path.name == "compose.yaml":
            yield str(path.relative_to(ROOT)), path.parent, yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.suffix == ".md":
            for block in re.findall(
                r"^```yaml\n(services:\n.*?)^```$", path.read_text("utf-8"), re.MULTILINE | re.DOTALL
            ):
                yield path.name, ROOT, yaml.safe_load(block)


@pytest.mark.parametrize(
    ("name", "place", "document"), list(compose_files()), ids=lambda one: one if isinstance(one, str) else ""
)
def test_a_compose_file(name: str, place: Path, document: Any) -> None:
    """The mock's service: its variables are settings, its ports and mounts fit, its commands exist."""
    services = document["services"]
    mocks = {key: service for key, service in services.items() if service.get("image") == IMAGE}

    assert len(mocks) == 1
    for service in services.values():
        depended = service.get("depends_on", {})
        assert set(depended) <= set(services)
        volumes = [volume.split(":") for volume in service.get("volumes", ())]
        assert {source for source, *_ in volumes if "/" not in source} <= set(document.get("volumes", {}))
    for service in mocks.values():
        environ = {key: value or "" for key, value in service.get("environment", {}).items()}
        settings = Settings.resolve(
            {}, {}, {key: text for key, text in environ.items() if key != CA_DIRECTORY_VARIABLE}
        )
        own = {str(settings.port), str(settings.tls_port)}
        command = service.get("command", [])
        assert all(key.startswith(ENVIRONMENT_PREFIX) for key in environ)
        assert all(
            port.startswith("127.0.0.1:") and _is_port_of_the_image(port, own) for port in service.get("ports", ())
        )
        targets = {volume.split(":")[1] for volume in service.get("volumes", ())}
        assert targets <= MOUNTS | set(command)
        assert "/ca" not in targets or environ.get(CA_DIRECTORY_VARIABLE) == "/ca"
        build = service["build"]
        assert build == "/path/to/vehicle-ocr-mock" or (place / build / "Dockerfile").is_file()
        if command:
            _check_words(command)
        if check := service.get("healthcheck"):
            kind, program, *words = check["test"]
            assert (kind, program) == ("CMD", "vehicle-ocr-mock")
            _check_words(words)


def test_the_compose_files_are_found() -> None:
    """Those of the repository, and the one in the guide for tests."""
    assert {name for name, *_ in compose_files()} >= {"compose.yaml", "examples/compose/compose.yaml", "testing.md"}
