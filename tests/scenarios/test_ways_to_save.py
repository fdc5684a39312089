"""Hot reload, however a file is saved: by editors, by copying programs, by the volumes of Kubernetes."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from mock_server import MockServer
from tests.scenarios.conftest import Write
from tests.scenarios.test_watch import loaded, names, watching
from tests.support import PATIENCE, drawn, eventually, vehicore

pytestmark = pytest.mark.anyio

TEXT = "scenario: {}\n"
Save = Callable[[Path, str], None]


def rename_over(file: Path, text: str) -> None:
    """A new file takes the place of the old one, as with vim's `backupcopy=no`, IDEs and rsync."""
    other = file.with_name(f".{file.name}.Xy12Z3")
    other.write_text(text)
    other.replace(file)


def keep_a_backup(file: Path, text: str) -> None:
    """The old file is renamed, a new one is written, the backup deleted, as vim does; with its other files."""
    swap, probe, backup = file.with_name(f".{file.name}.swp"), file.with_name("4913"), file.with_name(f"{file.name}~")
    swap.write_bytes(b"b0VIM" + bytes(4096))
    probe.write_text("")
    probe.unlink()
    file.rename(backup)
    file.write_text(text)
    backup.unlink()
    swap.unlink()


def truncate(file: Path, text: str) -> None:
    """The file is emptied and written again, as nano and shells do."""
    with file.open("r+") as opened:
        opened.truncate(0)
        opened.flush()
        opened.write(text)


def lock_by_a_link(file: Path, text: str) -> None:
    """Beside the file are a link that leads nowhere and an unsaved copy, as Emacs has them."""
    lock, copy = file.with_name(f".#{file.name}"), file.with_name(f"#{file.name}#")
    lock.symlink_to("user@host.1234:1700000000")
    copy.write_text("scenario: unsaved\n")
    file.write_text(text)
    lock.unlink()
    copy.unlink()


def delete_and_create(file: Path, text: str) -> None:
    """The file is deleted and created, as `git checkout` does."""
    file.unlink()
    file.write_text(text)


def link(file: Path, text: str) -> None:
    """Another hard link takes the place of the file."""
    other = file.parents[1] / "elsewhere.txt"
    other.write_text(text)
    file.unlink()
    os.link(other, file)


def from_long_ago(file: Path, text: str) -> None:
    """The new file is older than the old one, as with `cp -p` and unpacked archives."""
    other = file.with_name("new.tmp")
    other.write_text(text)
    os.utime(other, (1e9, 1e9))
    other.replace(file)


def keep_the_time(file: Path, text: str) -> None:
    """The file is written in place, keeps its size, and gets its old time back, as in reproducible builds."""
    before = file.stat()
    file.write_text(text)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "save",
    [rename_over, keep_a_backup, truncate, lock_by_a_link, delete_and_create, link, from_long_ago, keep_the_time],
)
async def test_a_saved_file_is_served(write: Write, save: Save) -> None:
    """The set that follows has what was saved."""
    loader = loaded(write, {"scenarios/a.yaml": TEXT.format("a")})
    async with watching(loader) as results:
        save(loader.root / "scenarios" / "a.yaml", TEXT.format("b"))
        while await names(results) != ["b"]:
            # A set of a moment between two steps.
            continue


def _new_version(volume: Path, name: str, content: Path | None, text: str) -> None:
    """Another version of a volume: a hidden directory, to which the link `..data` then leads."""
    version = volume / f"..2026_{name}"
    if content:
        shutil.copytree(content, version)
    (version / "scenarios").mkdir(parents=True, exist_ok=True)
    (version / "scenarios" / "a.yaml").write_text(text)
    (volume / "..data_tmp").symlink_to(version.name)
    (volume / "..data_tmp").replace(volume / "..data")
    if content:
        shutil.rmtree(content)


async def test_a_volume_of_kubernetes(write: Write) -> None:
    """Every path leads through the link `..data`, which is changed in one step; the old version is deleted."""
    root = write({})
    _new_version(root, "1", None, TEXT.format("a"))
    (root / "scenarios").symlink_to("..data/scenarios")
    loader = loaded(lambda files: root, {})
    async with watching(loader) as results:
        _new_version(root, "2", root / "..2026_1", TEXT.format("b"))
        while await names(results) != ["b"]:
            continue


def test_a_picture_with_the_size_and_the_time_of_the_one_before(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new picture is known and the old one is not, while serving and after the next start with its caches."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    first, second, third = (drawn(text, size=(640, 480), format="BMP") for text in ("AB 1", "CDEF 23", "GH 4567"))
    root = write({"scenarios/car.yaml": "scenario: car\nwhen: {image: ../car.bmp}\nreading: {plate: ABC123}\n"})

    def replace(data: bytes) -> None:
        new = root / ".new"
        new.write_bytes(data)
        os.utime(new, (1e9, 1e9))
        new.replace(root / "car.bmp")

    def matches(server: MockServer, data: bytes) -> bool:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            return vehicore(client, image=data).headers["X-Mock-Scenario"] == "car"

    replace(first)
    with MockServer(root, watch=True, cache=True) as server:
        assert matches(server, first)
        replace(second)
        assert eventually(lambda: matches(server, second))
        assert not matches(server, first)
    replace(third)
    with MockServer(root, cache=True) as server:
        assert (matches(server, third), matches(server, second)) == (True, False)
