"""The commands that the documents, the examples and the help of make show exist, with the options that they show."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from mock_server.cli.verbs import VERBS, command_line

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "scripts").glob("*.md")])
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file())
CODE = re.compile(r"^```(?:sh|console|bash|yaml|text)\n(.*?)^```$|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"""(?:^|[\s/"'>`])vehicle-ocr-mock((?: [^\n`|;&>"]*)?)""")
CONTINUED = re.compile(r"\\\n\s*")


def _code(path: Path) -> Iterator[str]:
    """The code in a document; of any other file the lines."""
    text = CONTINUED.sub(" ", path.read_text(encoding="utf-8"))
    if path.suffix != ".md":
        yield from text.splitlines()
        return
    for block, inline in CODE.findall(text):
        yield from (block or inline).splitlines()


def _named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _commands() -> Iterator[tuple[str, str]]:
    """Every shown command that has a verb: the file and the words after the program's name."""
    for path in [*DOCUMENTS, *EXAMPLES]:
        for line in _code(path):
            for words in COMMAND.findall(line):
                if words.split()[:1] and words.split()[0] in VERBS:
                    yield _named(path), words.strip()


@pytest.mark.parametrize(("path", "words"), sorted(set(_commands())))
def test_a_shown_command_has_these_options(path: str, words: str) -> None:
    """Every option before `--` is one of the verb."""
    verb, *arguments = shlex.split(words.split(" # ")[0].replace("…", ""), comments=True)
    context = click.Context(command_line)
    shown = command_line.get_command(context, verb)
    assert shown is not None
    known = {name for option in shown.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    used = {re.split(r"[=\]]", word.lstrip("["))[0] for word in before if word.lstrip("[").startswith("--")}

    assert used - known == set()


def test_commands_are_found() -> None:
    """The search above finds the commands of several files, so it cannot pass because it finds none."""
    found = list(_commands())

    assert len(found) > 20
    assert {"README.md", "docs/clients.md", "examples/namespace/run.sh"} <= {path for path, _ in found}


@pytest.mark.parametrize("path", [*DOCUMENTS, *EXAMPLES], ids=_named)
def test_a_shown_file_or_target_exists(path: Path) -> None:
    """`make TARGET` is a target of the Makefile; a script that is run is in the repository."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for line in _code(path):
        if made := re.match(r"(?:\$ |@)?make ([a-z-]+)", line):
            assert made[1] in targets, line
        for script in re.findall(r"(?:^|\s)((?:scripts|examples)/[\w/.-]+\w)", line):
            assert (ROOT / script).exists(), line


@pytest.mark.parametrize("path", [*DOCUMENTS, *EXAMPLES], ids=_named)
def test_nothing_is_taken_from_an_index_where_it_is_not(path: Path) -> None:
    """The package is on no index and its image in no registry: both are made from a checkout."""
    for line in _code(path):
        for words in re.findall(r"pip install ([^\n#]*)", line):
            assert not {re.split(r"[\[=<>]", word.strip("'\""))[0] for word in words.split()} & {"vehicle-ocr-mock"}
    if path.suffix in (".yaml", ".yml"):
        documents = [path.read_text(encoding="utf-8")]
    else:
        documents = re.findall(r"^```yaml\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    for document in documents:
        for service in _services(list(yaml.safe_load_all(document))):
            assert service.get("image") != "vehicle-ocr-mock" or "build" in service, document


def _services(document: object) -> Iterator[dict[str, object]]:
    """Every mapping in a document, at any depth."""
    if isinstance(document, dict):
        yield document
    for part in document.values() if isinstance(document, dict) else document if isinstance(document, list) else ():
        yield from _services(part)
