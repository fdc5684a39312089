"""Checks of a built container image: `python3 -m scripts.container_checks ROOT IMAGE.json`, as root.

ROOT is the mounted file system of the image, IMAGE.json what `buildah inspect` prints. A container is that file system
with a process, mounts and a user of its own. It shares the network of this machine, so every server gets a free port.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")

PICTURE = Path("fixtures/images/california-sedan.jpg")
UNKNOWN = Path("docs/images/try.png")
SCENARIO = "scenario: car\nwhen: {filename: car.jpg}\nreading: {plate: ABC123}\n"
# `docker stop` kills a container after 10 seconds. How much less it is depends on the machine, so it is only printed.
GRACE_SECONDS = 8
FOREIGN_UID = "1234560000:0"
_ENTER = """
mount --make-rprivate / && mount --bind "$ROOT" "$ROOT" && mount -t proc proc "$ROOT/proc" \
    && mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp" || exit 99
if [ -n "$CONFIG" ]; then mkdir -p "$ROOT/config" && mount --bind "$CONFIG" "$ROOT/config" || exit 99; fi
if [ -n "$READ_ONLY" ]; then mount -o remount,bind,ro "$ROOT" || exit 99; fi
exec chroot --userspec="$OWNER" --groups="" "$ROOT" env -i "$@"
"""


@dataclass
class Image:
    """A file system and its configuration, as in the OCI image format."""

    root: Path
    config: Mapping[str, Any]
    failures: list[str] = field(default_factory=list)
    passed: int = 0

    def check(self, is_right: bool, what: str) -> None:
        """Print one line of the result."""
        print(("ok      " if is_right else "FAILED  ") + what, flush=True)
        self.passed += is_right
        if not is_right:
            self.failures.append(what)

    def environ(self, more: Mapping[str, str]) -> list[str]:
        """The environment of a container as words for `env`."""
        return [f"--chdir={self.config['WorkingDir']}", *self.config["Env"], *(f"{k}={v}" for k, v in more.items())]


@dataclass
class Container:
    """A running container."""

    process: "subprocess.Popen[str]"
    port: int
    started: float

    @property
    def first_process(self) -> int:
        """The id of its process 1 on this machine."""
        return wait_for(lambda: children_of(self.process.pid))[0]

    def ready(self) -> str:
        """Its ready line; empty if it ends before."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self, signum: int = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal to its process 1; gives the exit code and the seconds until the end."""
        os.kill(self.first_process, signum)
        sent = time.monotonic()
        return self.process.wait(60), time.monotonic() - sent


@contextmanager
def container(
    image: Image,
    *arguments: str,
    user: str | None = None,
    config: Path | None = None,
    read_only: bool = False,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Container]:
    """Start a container with its entry point; `config` is mounted at /config."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environ = {"VEHICLE_OCR_MOCK_PORT": str(port), **(environ or {})}
    with tempfile.TemporaryDirectory(dir=image.root.parent, prefix="container-") as directory:
        root = Path(directory, "root")
        subprocess.run(["cp", "-al", str(image.root), str(root)], check=True)
        words = [*image.environ(environ), *image.config["Entrypoint"], *(arguments or image.config["Cmd"])]
        started = time.monotonic()
        process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh", *words],
            env={
                **os.environ,
                "ROOT": str(root),
                "CONFIG": str(config or ""),
                "READ_ONLY": "yes" if read_only else "",
                "OWNER": user or f"{image.config['User']}:0",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield Container(process, port, started)
        finally:
            # The kernel forgets to kill process 1 together with unshare, because its user has changed.
            for pid in children_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            process.kill()
            process.communicate()


def children_of(pid: int) -> list[int]:
    """The ids of the child processes."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def wait_for(find: Callable[[], Found]) -> Found:
    """What `find` returns when that is true, within a minute."""
    until = time.monotonic() + 60
    while not (found := find()):
        if time.monotonic() > until:
            raise TimeoutError("waited for a minute")
        time.sleep(0.001)
    return found


def read_plate(port: int, picture: Path = PICTURE) -> bytes:
    """What curl gets for a picture."""
    command = ["curl", "-sS", "-m", "30", "-H", "X-API-Key: demo-key", "-F", f"image=@{picture}"]
    return subprocess.run([*command, f"http://127.0.0.1:{port}/api/ocr/plate"], capture_output=True, check=False).stdout


def check_content(image: Image) -> None:
    """Nothing in it that is not needed to run, and labels."""

    def megabytes(path: str) -> float:
        counted = subprocess.run(["du", "-sbx", str(image.root / path)], capture_output=True, text=True, check=True)
        return int(counted.stdout.split()[0]) / 1e6

    app, venv, whole = (megabytes(path) for path in ("opt/app", "opt/venv", ""))
    sizes = f"base {whole - app - venv:.0f} MB, dependencies {venv:.0f} MB, code {app:.1f} MB"
    image.check(venv + app <= 175, f"{whole:.0f} MB: {sizes}")
    packages = next(image.root.glob("opt/venv/lib/python3*/site-packages"))
    left = [*packages.glob("pip"), *packages.glob("setuptools"), *packages.glob("numpy/**/tests")]
    image.check(not left, "neither pip nor numpy's tests in it")
    labels = image.config.get("Labels") or {}
    names = ("title", "description", "licenses")
    image.check(all(labels.get(f"org.opencontainers.image.{name}") for name in names), "labels")
    image.check(image.config["User"].isdigit(), f"numeric user {image.config['User']}")


def check_serving(image: Image) -> None:
    """The first answer, the health check and the end."""
    with container(image) as mock:
        ready = mock.ready()
        seconds = time.monotonic() - mock.started
        image.check("ready on http://127.0.0.1:" in ready, f"{ready} after {seconds:.2f} s")
        answer = read_plate(mock.port)
        seconds = time.monotonic() - mock.started
        image.check(answer == b'{"result":"9DJC652"}', f"first answer {seconds:.2f} s after the start: {answer!r}")
        answer = read_plate(mock.port, UNKNOWN)
        image.check(len(answer) > len(b'{"result":""}'), f"a picture that no scenario knows: {answer!r}")
        check_health(image, mock)
        code, seconds = mock.end()
        image.check(code == 0 and seconds < GRACE_SECONDS, f"SIGTERM: exit code {code} after {seconds:.2f} s")


def check_health(image: Image, mock: Container) -> None:
    """The image's health check finds the server by the environment of process 1, and costs little."""
    command = image.config["Healthcheck"]["Test"][1:]
    enter = ["nsenter", "--target", str(mock.first_process), "--mount", "--pid", "--root", "--wd=/"]
    process = subprocess.Popen([*enter, "env", "-i", *image.environ({}), *command])
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime
    image.check(process.returncode == 0, f"health check: exit code {process.returncode}, {seconds:.2f} s of CPU")


def check_early_end(image: Image) -> None:
    """A SIGTERM that comes before Python runs is not lost, although process 1 has no handler yet."""

    def is_blocked(pid: int) -> bool:
        # unshare and the shell of this check block signals too, for a moment, before they run the entry point.
        command = Path(f"/proc/{pid}/cmdline").read_text()
        if command.startswith(("unshare\0", "sh\0-c\0")):
            return False
        blocked = re.search(r"SigBlk:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
        return blocked is not None and bool(int(blocked[1], 16) >> (signal.SIGTERM - 1) & 1)

    results = []
    for _ in range(5):
        with container(image) as mock:
            pid = mock.first_process
            wait_for(lambda pid=pid: is_blocked(pid))  # type: ignore[misc]
            results.append(mock.end())
    slowest = max(seconds for _, seconds in results)
    codes = {code for code, _ in results}
    image.check(
        codes == {0} and slowest < GRACE_SECONDS, f"SIGTERM at the start: exit codes {codes}, at most {slowest:.2f} s"
    )


def check_odd_users(image: Image) -> None:
    """Other users, and a root file system that nobody can write to."""
    with container(image, user=FOREIGN_UID, read_only=True) as mock:
        ready, answer = mock.ready(), read_plate(mock.port)
        seconds = time.monotonic() - mock.started
        image.check(answer == b'{"result":"9DJC652"}', f"read-only root, uid {FOREIGN_UID}: {seconds:.2f} s; {ready}")
    tls = {"VEHICLE_OCR_MOCK_TLS": "true", "VEHICLE_OCR_MOCK_TLS_PORT": "0", "VEHICLE_OCR_MOCK_CA_DIR": "/ca"}
    with container(image, user=FOREIGN_UID, environ=tls) as mock:
        ready = mock.ready()
        image.check("https://" in ready, f"certificates in /ca as uid {FOREIGN_UID}: {ready}")


def check_mounts(image: Image, scratch: Path) -> None:
    """A directory at /config is served, and one that cannot be used ends the start with one line."""
    good = scratch / "good"
    (good / "scenarios").mkdir(parents=True)
    (good / "scenarios" / "car.yaml").write_text(SCENARIO)
    with container(image, config=good) as mock:
        mock.ready()
        mock.end()
        assert mock.process.stderr is not None
        errors = mock.process.stderr.read()
        image.check("serving /config: 1 scenario, 0 pictures" in errors, "a mount is served")
    for name, files in {
        "empty": (),
        "wrong name": ("mock.yml",),
        "flat": ("car.yaml",),
        "mode 0700": ("mock.yaml",),
    }.items():
        directory = scratch / name
        directory.mkdir()
        for file in files:
            (directory / file).write_text(SCENARIO if file == "car.yaml" else "")
        if name == "mode 0700":
            directory.chmod(0o700)
        with container(image, config=directory) as mock:
            output, errors = mock.process.communicate(timeout=60)
            is_right = mock.process.returncode == 1 and len((output + errors).splitlines()) == 1
            image.check(is_right, f"a mount that cannot be used ({name}): {(output + errors).strip()}")


def main(root: str, description: str) -> int:
    """Run all checks; the exit code."""
    document = json.loads(Path(description).read_text(encoding="utf-8"))
    image = Image(Path(root), document["Docker"]["config"])
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        check_content(image)
        check_serving(image)
        check_early_end(image)
        check_odd_users(image)
        check_mounts(image, Path(scratch))
    print(f"{image.passed} passed, {len(image.failures)} failed")
    return 1 if image.failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
