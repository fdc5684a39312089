"""Odd surroundings: no home, no temporary directory, closed streams, unwritable paths. One line each, no traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE
from tests.cli.command import COMMAND, READY, run
from tests.support import FIXTURES, PATIENCE, without_coverage

PICTURE = str(FIXTURES / "images" / "car.jpg")


def without_home(tmp_path: Path, *arguments: str) -> list[str]:
    """The command as a user that has no home directory and is not in the list of users."""
    unset = ("HOME", "XDG_CACHE_HOME", CA_DIRECTORY_VARIABLE)
    prefix = ["unshare", "--map-user=4242", "--map-group=4242", "env", *(f"--unset={name}" for name in unset)]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not available")
    return [*prefix, *COMMAND, *arguments]


def first_line(command: list[str]) -> str:
    """The first line on stdout of a server, which is then stopped."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        return process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_a_server_without_a_home_directory_has_no_cache(tmp_path: Path) -> None:
    """Without a place for the cache, the server starts without one."""
    assert first_line(without_home(tmp_path, "serve", str(FIXTURES), "--port", "0")).startswith(READY)


@pytest.mark.parametrize("arguments", [("ca",), ("serve", "--port", "0", "--tls", "--tls-port", "0")])
def test_https_without_a_home_directory(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Without a place for the certificate authority: exit code 1 and one sentence with the variable to set."""
    ended = subprocess.run(
        without_home(tmp_path, *arguments), capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "vehicle-ocr-mock: there is no home directory for the certificates; set VEHICLE_OCR_MOCK_CA_DIR"
    )
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("home", [None, "/proc/none"])
def test_exec_without_a_home_directory(tmp_path: Path, home: str | None) -> None:
    """Without a place for the certificate authority, `exec` makes one for the run, and removes it."""
    script = "import os, httpx; print(httpx.get('https://api.carsxe.com/v1/auth/validate?key=demo-key').status_code)"
    script += "; print(os.environ['VEHICLE_OCR_MOCK_CA_DIR'])"
    environ = without_coverage() | ({"HOME": home} if home else {})
    command = without_home(tmp_path, "exec", "--", sys.executable, "-c", script)
    if home:
        command.remove("--unset=HOME")
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    status, directory = ended.stdout.split()
    assert (ended.returncode, status) == (0, "200")
    assert not Path(directory).exists()


@pytest.mark.parametrize("arguments", [("serve", "--port", "0", "--tls", "--tls-port", "0"), ("exec", "--", "true")])
def test_https_without_a_temporary_directory(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Exit code 1 and one sentence."""
    script = (
        "for d in /tmp /var/tmp /usr/tmp; do mount --bind $d $d && mount -o remount,bind,ro $d; done 2>/dev/null; "
        f'mount -t tmpfs none /mnt && export {CA_DIRECTORY_VARIABLE}=/mnt/ca; cd /proc; exec "$@"'
    )
    prefix = ["unshare", "--mount", "sh", "-c", script, "sh"]
    environ = {**without_coverage(), "PYTHONPATH": str(Path(__file__).parents[2])}
    environ.pop("TMPDIR", None)
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("mount namespaces are not available")
    ended = subprocess.run(
        [*prefix, *COMMAND, *arguments], env=environ, capture_output=True, text=True, timeout=PATIENCE, check=False
    )

    assert ended.returncode == 1
    assert "needs a writable temporary directory" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("stream", ["1", "2"])
def test_a_closed_stream(stream: str) -> None:
    """A server whose stdout or stderr is closed fails only for a real reason."""
    script = f'exec "$@" {stream}>&-'
    ended = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, "schema"], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    refused = subprocess.run(
        ["sh", "-c", script, "sh", *COMMAND, "serve", "--port", "99999"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert (ended.returncode, refused.returncode) == (0, 1)
    assert "Traceback" not in ended.stderr + refused.stderr


@pytest.mark.parametrize("streams", ["<&-", "<&- 2>&-", "<&- >&- 2>&-"])
def test_a_command_with_closed_streams(tmp_path: Path, streams: str) -> None:
    """Its command runs to its end, with the null device in the place of what is closed."""
    script = f'exec "$@" {streams}'
    write = "cat > $0; echo $? >> $0"
    command = [*COMMAND, "exec", "--", "sh", "-c", write, str(tmp_path / "written")]
    ended = subprocess.run(
        ["sh", "-c", script, "sh", *command], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, (tmp_path / "written").read_text()) == (0, "0\n")
    assert not ended.stderr


def test_a_mock_in_a_process_with_closed_streams() -> None:
    """A Python program without standard input starts and stops a mock."""
    program = "from mock_server import MockServer\nwith MockServer() as mock: print(mock.url)"
    command = ["sh", "-c", 'exec "$@" <&-', "sh", sys.executable, "-c", program]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (ended.returncode, ended.stdout.startswith("http://127.0.0.1:")) == (0, True)


def test_a_server_with_closed_stderr() -> None:
    """It starts and prints its ready line."""
    assert first_line(["sh", "-c", 'exec "$@" 2>&-', "sh", *COMMAND, "serve", "--port", "0"]).startswith(READY)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", PICTURE, "--plate", "A", "--fixtures", "/proc/none"),
        ("image", "plate", "--out", "/proc/none.jpg"),
        ("match", PICTURE, str(FIXTURES), "--explain", "/proc/none.png"),
    ],
)
def test_a_path_that_cannot_be_written(arguments: tuple[str, ...]) -> None:
    """Exit code 1 and one sentence with the path."""
    ended = run(*arguments)

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("vehicle-ocr-mock: /proc/none")
    assert "Traceback" not in ended.stderr
