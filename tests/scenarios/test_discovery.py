"""Unusual files and directories: one clear line for each, and no traceback."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mock_server.errors import FixturesError
from mock_server.scenarios.discovery import MAX_BYTES
from mock_server.scenarios.load import load
from tests.support import PATIENCE, without_coverage

Write = Callable[[Mapping[str, str | bytes]], Path]


def lines_of(root: Path) -> list[str]:
    """The mistakes and warnings of the directory, with paths below it."""
    try:
        found = load(root).warnings
    except FixturesError as error:
        found = error.mistakes
    return [str(mistake).removeprefix(f"{root}/") for mistake in found]


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        ("scenario: caf\xe9\n".encode("latin-1"), ["1:14: the file is not UTF-8 here — save it as UTF-8"]),
        (
            "scenario: ok\ndescription: caf\xe9 \udc80".encode("utf-8", "surrogatepass"),
            ["2:19: the file is not UTF-8 here — save it as UTF-8"],
        ),
        ("scenario: wide\n".encode("utf-16"), ["1:1: the file is UTF-16 — save it as UTF-8"]),
        (b"scenario: a\x00b\n", ["1:12: a character that YAML does not allow (U+0000)"]),
        (b"scenario: ok\ndescription: a\x1bb\n", ["2:15: a character that YAML does not allow (U+001B)"]),
        (b"\x89PNG\r\n\x1a\n", ["1:1: the file is not UTF-8 here — save it as UTF-8"]),
        (b"\xef\xbb\xbfscenario: bom\n", []),
        (b"scenario: crlf\r\nwhen:\r\n  product: plate\r\n", []),
        (b"scenario: unicode\ndescription: \xf0\x9f\x9a\x97\nreading: {plate: \xd0\x90123\xd0\x92\xd0\xa1}\n", []),
        (b"", []),
        (b"# nothing but a comment\n", []),
        (b"---\n---\n...\n", []),
        (
            b" " * (MAX_BYTES + 1),
            [
                f"1:1: the file has {MAX_BYTES + 1:,} bytes; at most {MAX_BYTES:,} are read"
                " — scenarios may be spread over as many files as you like"
            ],
        ),
        (b"[" * 900, ["1:33: nested more than 32 levels deep"]),
        (b"- " * 200_000, ["1:65: nested more than 32 levels deep"]),
        (b"{a: " * 50_000, ["1:129: nested more than 32 levels deep"]),
    ],
    ids=lambda value: repr(value)[:24] if isinstance(value, bytes) else None,
)
def test_content(content: bytes, lines: list[str], write: Write) -> None:
    """Bytes that are not valid text are reported with their place; unusual but valid text is accepted."""
    root = write({"scenarios/odd.yaml": content})

    assert lines_of(root) == [f"scenarios/odd.yaml:{line}" for line in lines]


def test_mock_file_is_read_with_the_same_care(write: Write) -> None:
    """`mock.yaml` is checked in the same way."""
    root = write({"mock.yaml": "accounts: []\n".encode("utf-16")})

    assert lines_of(root) == ["mock.yaml:1:1: the file is UTF-16 — save it as UTF-8"]


def test_mock_yml_is_noticed(write: Write) -> None:
    """A `mock.yml` is not read, which is reported."""
    root = write({"mock.yml": "accounts: []\n"})

    assert lines_of(root) == ['mock.yml:1:1: warning: this file is not read — call it "mock.yaml"']


def test_misplaced_scenario_is_noticed(write: Write) -> None:
    """A scenario beside `mock.yaml` is not read, which is reported; other YAML files are ignored."""
    root = write({"mock.yaml": "", "sedan.yaml": "# mine\nscenario: sedan\n", "compose.yaml": "services: {}\n"})

    assert lines_of(root) == ['sedan.yaml:1:1: warning: this file is not read — scenarios go into "scenarios"']


def test_wrong_directory_is_noticed(tmp_path: Path) -> None:
    """A directory without fixture files is reported: it is probably the wrong one."""
    assert lines_of(tmp_path) == [f'{tmp_path}:1:1: warning: neither "mock.yaml" nor "scenarios" is here']


def test_directories_named_like_files(write: Write) -> None:
    """A directory in place of a file is reported and not searched."""
    root = write({"scenarios/x.yaml/inner.yaml": "scenario: inner\n"})
    (root / "mock.yaml").mkdir()

    assert lines_of(root) == [
        "mock.yaml:1:1: a directory, but this must be a file",
        "scenarios/x.yaml:1:1: a directory, but this must be a file",
    ]


def test_pipe(write: Write) -> None:
    """A named pipe does not block."""
    root = write({"scenarios/a.yaml": "scenario: a\n"})
    os.mkfifo(root / "scenarios/pipe.yaml")

    assert lines_of(root) == ["scenarios/pipe.yaml:1:1: not a regular file"]


def test_symbolic_links_that_lead_out(write: Write, tmp_path: Path) -> None:
    """Neither files, directories, pictures nor `mock.yaml` may come from elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_text("scenario: a\n")
    (outside / "mock.yaml").write_text("accounts: []\n")
    root = write({"scenarios/b.yaml": "scenario: b\nwhen:\n  image: ../images/linked.png\n"})
    (outside / "linked.png").write_bytes((root / "images/car.png").read_bytes())
    (root / "scenarios/a.yaml").symlink_to(outside / "a.yaml")
    (root / "scenarios/more").symlink_to(outside)
    (root / "mock.yaml").symlink_to(outside / "mock.yaml")
    (root / "images/linked.png").symlink_to(outside / "linked.png")

    assert lines_of(root) == [
        "mock.yaml:1:1: a symbolic link that leads out of the fixtures directory",
        "scenarios/a.yaml:1:1: a symbolic link that leads out of the fixtures directory",
        'scenarios/b.yaml:3:10: "../images/linked.png" leads out of the fixtures directory'
        " — it goes through a symbolic link",
        "scenarios/more:1:1: a symbolic link that leads out of the fixtures directory",
    ]


def test_symbolic_links_that_stay_inside(write: Write) -> None:
    """Links within the directory are followed, as container platforms mount files that way."""
    root = write({"scenarios/..data/a.yaml": "scenario: a\n", "shared/b.yaml": "scenario: b\nwhen: {product: vin}\n"})
    (root / "scenarios/a.yaml").symlink_to("..data/a.yaml")
    (root / "scenarios/shared").symlink_to("../shared")

    assert [scenario.name for scenario in load(root).set.scenarios] == ["a", "b"]


def test_symbolic_links_that_go_round(write: Write) -> None:
    """A link to a directory above itself, and a link to itself, are reported once and not followed."""
    root = write({"scenarios/deep/a.yaml": "scenario: a\n"})
    (root / "scenarios/deep/round").symlink_to("..")
    (root / "scenarios/self.yaml").symlink_to("self.yaml")
    (root / "scenarios/gone.yaml").symlink_to("nowhere.yaml")

    assert lines_of(root) == [
        "scenarios/deep/round:1:1: a symbolic link to a directory that contains it",
        "scenarios/gone.yaml:1:1: it cannot be read: no such file or directory",
        "scenarios/self.yaml:1:1: it cannot be read: too many levels of symbolic links",
    ]


def test_root_may_be_a_link(write: Write, tmp_path: Path) -> None:
    """The fixtures directory itself may be reached through a link; files are named as it was given."""
    root = write({"scenarios/a.yaml": "scenario: A\n"})
    link = tmp_path / "link"
    link.symlink_to(root)

    with pytest.raises(FixturesError) as caught:
        load(link)

    assert caught.value.mistakes[0].file == str(link / "scenarios/a.yaml")


def test_no_such_directory(tmp_path: Path) -> None:
    """A missing directory is reported."""
    with pytest.raises(FixturesError, match="there is no such fixtures directory"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (b"hello", "is no picture"),
        (b"%PDF-1.7 ....", "is of a format that is not read here (PDF)"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is damaged or ends early"),
    ],
)
def test_unusable_pictures(content: bytes, what: str, write: Write) -> None:
    """A file that is not a picture is reported where it is named."""
    root = write({"images/bad.png": content, "scenarios/a.yaml": "scenario: a\nwhen:\n  image: ../images/bad.png\n"})

    assert lines_of(root) == [f'scenarios/a.yaml:3:10: "../images/bad.png" {what}']


def test_similar_endings_are_reported(write: Write) -> None:
    """A file whose ending looks like that of a scenario file is not read, which is reported."""
    root = write(
        {
            "scenarios/a.yaml": "scenario: a\n",
            "scenarios/b.YAML": "scenario: b\n",
            "scenarios/deep/c.json": "{}",
            "scenarios/notes.md": "",
            "scenarios/.d.json": "",
        }
    )

    assert lines_of(root) == [
        'scenarios/b.YAML:1:1: warning: this file is not read — scenario files end in ".yaml"',
        'scenarios/deep/c.json:1:1: warning: this file is not read — scenario files end in ".yaml"',
    ]


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every user can enter, unlike those of pytest."""
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("mode", "place", "line"),
    [
        (0o711, ".", "fixtures: it cannot be read: permission denied"),
        (0o700, ".", "fixtures: it cannot be read: permission denied"),
        (0o700, "scenarios", "scenarios:1:1: it cannot be read: permission denied"),
        (0o744, "scenarios", "scenarios/a.yaml:1:1: it cannot be read: permission denied"),
        (0o600, "scenarios/a.yaml", "scenarios/a.yaml:1:1: it cannot be read: permission denied"),
        (0o600, "mock.yaml", "mock.yaml:1:1: it cannot be read: permission denied"),
        (0o700, "images", 'scenarios/a.yaml:2:15: "../images/car.png" cannot be read: permission denied'),
    ],
)
def test_unreadable_places(write: Write, public: Path, mode: int, place: str, line: str) -> None:
    """Without permission there is a mistake with the place, and no traceback."""
    files = write(
        {"scenarios/a.yaml": "scenario: a\nwhen: {image: ../images/car.png}\n", "mock.yaml": "strict: true\n"}
    )
    root = shutil.copytree(files, public / "fixtures")
    script = (
        "import os, sys; from pathlib import Path; from mock_server.errors import FixturesError\n"
        "from mock_server.scenarios.load import load; load(Path(sys.argv[1]))\n"
        "os.chmod(Path(sys.argv[1], sys.argv[2]), int(sys.argv[3])); os.setgid(12345); os.setuid(12345)\n"
        "try: load(Path(sys.argv[1]))\n"
        "except FixturesError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(root), place, str(mode)],
        env=without_coverage(),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )

    assert done.stderr == ""
    assert line in done.stdout.replace(f"{root}/", "")
