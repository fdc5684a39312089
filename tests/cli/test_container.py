"""The container's entry point: a mounted directory is served, and one that cannot be served ends the start."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.command import READY
from tests.support import FIXTURES, PATIENCE, picture

ENTRY = Path(__file__).parents[2] / "scripts" / "container"
# Files of other users are as inaccessible as they are for an ordinary user.
WITHOUT_ROOT_RIGHTS = ("setpriv", "--bounding-set", "-dac_override,-dac_read_search")
SCENARIO = "scenario: car\nwhen: {image: car.jpg}\nreading: {plate: ABC123}\n"


@contextmanager
def container(
    mount: Path, *arguments: str, prefix: tuple[str, ...] = (), **environ: str
) -> Iterator["subprocess.Popen[str]"]:
    """The entry point with `mount` in the place of /config."""
    shim = mount.parent / "bin"
    shim.mkdir(exist_ok=True)
    (shim / "vehicle-ocr-mock").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m mock_server "$@"\n')
    (shim / "vehicle-ocr-mock").chmod(0o755)
    process = subprocess.Popen(
        [*prefix, "sh", str(ENTRY), *arguments],
        env={
            "PATH": f"{shim}:{os.environ['PATH']}",
            "HOME": str(mount.parent),
            "CONFIG_DIRECTORY": str(mount),
            **environ,
        },
        cwd=ENTRY.parents[1],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def starts(process: "subprocess.Popen[str]") -> str:
    """Wait until the server is ready, stop it, and return what it wrote to stderr."""
    assert process.stdout is not None
    assert process.stdout.readline().startswith(READY)
    process.send_signal(signal.SIGTERM)
    errors = process.communicate(timeout=PATIENCE)[1]

    assert process.returncode == 0
    return errors


def test_a_mount_is_served(tmp_path: Path) -> None:
    """A directory with fixtures is served, and stderr says what is in it."""
    mount = tmp_path / "config"
    (mount / "scenarios").mkdir(parents=True)
    (mount / "scenarios" / "car.yaml").write_text(SCENARIO)
    (mount / "scenarios" / "car.jpg").write_bytes(picture("car"))
    with container(mount, "serve", "--port", "0") as process:
        assert f"serving {mount}: 1 scenario, 1 picture\n" in starts(process)


def test_without_a_mount_the_shipped_fixtures_are_served(tmp_path: Path) -> None:
    """Nothing at /config means the shipped fixtures, and stderr names them."""
    with container(tmp_path / "config", "serve", "--port", "0") as process:
        assert "fixtures: " in starts(process)


def test_a_named_directory_is_served_instead_of_the_mount(tmp_path: Path) -> None:
    """An argument or a variable wins over a mount, even over one that cannot be used."""
    (tmp_path / "config").mkdir()
    with container(tmp_path / "config", "serve", str(FIXTURES), "--port", "0") as process:
        assert f"serving {FIXTURES}: " in starts(process)
    with container(tmp_path / "config", "serve", "--port", "0", VEHICLE_OCR_MOCK_FIXTURES=str(FIXTURES)) as process:
        assert f"serving {FIXTURES}: " in starts(process)


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ((), "is empty: it must contain mock.yaml or scenarios/"),
        ((".hidden",), "is empty: it must contain mock.yaml or scenarios/"),
        (("mock.yml",), "mock.yml is not read: its name must be mock.yaml"),
        (("mock.yml", "scenarios/car.yaml"), "mock.yml is not read: its name must be mock.yaml"),
        (("a.jpg", "b.jpg"), "contains neither mock.yaml nor scenarios/, only a.jpg, b.jpg"),
        (("images/a.jpg",), "contains neither mock.yaml nor scenarios/, only images"),
        (("car.yaml", "car.jpg"), "car.yaml is not read: scenario files must be in {}/scenarios"),
        (("car.yaml", "mock.yaml"), "car.yaml is not read: scenario files must be in {}/scenarios"),
        (("car.yml",), "car.yml is not read: scenario files must be in {}/scenarios"),
    ],
)
@pytest.mark.parametrize("verb", ["serve", "validate", "exec"])
def test_a_mount_that_cannot_be_used_ends_the_start(
    tmp_path: Path, verb: str, files: tuple[str, ...], reason: str
) -> None:
    """Exit code 1 and one sentence, not the shipped fixtures."""
    mount = tmp_path / "config"
    mount.mkdir()
    for file in files:
        (mount / file).parent.mkdir(exist_ok=True)
        (mount / file).write_text(SCENARIO if file.startswith("car.y") else "")
    arguments = {"serve": ("--port", "0"), "validate": (), "exec": ("--", "echo", "it ran")}[verb]
    with container(mount, verb, *arguments) as process:
        output, errors = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert reason.format(mount) in output + errors
    assert len((output + errors).splitlines()) == 1


def test_a_link_that_leads_nowhere_ends_the_start(tmp_path: Path) -> None:
    """Exit code 1 and one sentence: a link at /config is meant to be served."""
    (tmp_path / "config").symlink_to(tmp_path / "nowhere")
    with container(tmp_path / "config", "serve", "--port", "0") as process:
        output, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert output + errors == f"vehicle-ocr-mock: there is no directory {tmp_path / 'config'}\n"


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv")
def test_a_mount_of_another_user(tmp_path: Path) -> None:
    """A directory with mode 0700 that belongs to another user: exit code 1 and one sentence."""
    mount = tmp_path / "config"
    shutil.copytree(FIXTURES, mount)
    mount.chmod(0o700)
    os.chown(mount, 12345, 12345)
    with container(mount, "serve", "--port", "0", prefix=WITHOUT_ROOT_RIGHTS) as process:
        output, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, output) == (1, "")
    assert errors == f"vehicle-ocr-mock: {mount} cannot be read: permission denied\n"


def test_a_file_at_the_mount(tmp_path: Path) -> None:
    """A file in place of the directory: exit code 1 and one sentence."""
    (tmp_path / "config").write_text("")
    with container(tmp_path / "config", "serve", "--port", "0") as process:
        output, errors = process.communicate(timeout=PATIENCE)

    assert (process.returncode, output) == (1, "")
    assert errors == f"vehicle-ocr-mock: {tmp_path / 'config'} is not a directory\n"


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_a_sigterm_before_python_runs(tmp_path: Path) -> None:
    """Process 1 ignores SIGTERM without a handler. The image's entry point blocks the signal until there is one."""
    prefix = ("unshare", "--pid", "--fork", "--kill-child")
    if (
        not shutil.which("unshare")
        or subprocess.run([*prefix, "true"], check=False, stderr=subprocess.DEVNULL).returncode
    ):
        pytest.skip("this user may not create a process namespace")
    image = (ENTRY.parents[1] / "Dockerfile").read_text(encoding="utf-8")
    words = json.loads(re.findall(r"^ENTRYPOINT (.*)$", image, re.MULTILINE)[0])
    until = time.monotonic() + PATIENCE
    with container(
        tmp_path / "config", "serve", "--port", "0", prefix=(*prefix, *words[: words.index("sh")])
    ) as process:
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while not (pids := children.read_text().split()) or not _heeds_sigterm(int(pids[0])):
            assert time.monotonic() < until
        os.kill(int(pids[0]), signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, output) == (0, "")


def _heeds_sigterm(pid: int) -> bool:
    """Whether a process blocks SIGTERM, or has a handler for it: a busy machine may show the latter first."""
    # unshare blocks signals too, while it starts process 1.
    if Path(f"/proc/{pid}/comm").read_text().strip() == "unshare":
        return False
    masks = re.findall(r"Sig(?:Blk|Cgt):\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return any(int(mask, 16) >> (signal.SIGTERM - 1) & 1 for mask in masks)


def test_the_image_has_no_directory_at_the_mount() -> None:
    """The entry point takes /config for a mount if it exists, so the image must not create it."""
    image = (ENTRY.parents[1] / "Dockerfile").read_text(encoding="utf-8")

    assert not re.search(r"^[^#]*\s/config\b", image, re.MULTILINE)


def test_old_builders_and_kubernetes_accept_the_image() -> None:
    """No instruction needs BuildKit or Docker 25, and the user is a number, as `runAsNonRoot` demands."""
    image = (ENTRY.parents[1] / "Dockerfile").read_text(encoding="utf-8")

    assert not re.search(r"^(RUN|COPY|ADD) --(mount|link|chmod|parents)|--start-interval|<<", image, re.MULTILINE)
    assert [user.isdigit() for user in re.findall(r"^USER (.+)$", image, re.MULTILINE)] == [True]


@pytest.mark.parametrize("file", ["compose.yaml", "README.md", "docs/testing.md"])
def test_a_published_port_is_for_this_machine(file: str) -> None:
    """A port that is published without an address is open to the network, past most firewalls."""
    text = (ENTRY.parents[1] / file).read_text(encoding="utf-8")
    ports = re.findall(r"(?:^ *- |-p )((?:[\d.]+:)?\d+:\d+)\b", text, re.MULTILINE)

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
