"""The verb `exec`: the providers' real names lead a command to the mock, and nothing else changes for it."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mock_server.certificate_authority import AUTHORITY_LIFE, CertificateAuthority
from tests.support import PATIENCE

PYTHON = sys.executable
EXEC = (PYTHON, "-m", "mock_server", "exec")
VIN = "JHLRD77874C026456"
ASK = """
import json, sys, urllib.request
request = urllib.request.Request(
    "https://api.carsxe.com/v1/vinocr?key=demo-key",
    json.dumps({"image_url": "https://pictures.example/car.jpg"}).encode(),
    {"Content-Type": "application/json"},
)
print(json.load(urllib.request.urlopen(request))["vin"], flush=True)
"""


def _heed_signals() -> None:
    """Restore the default handlers: signals that the test runner ignores (nohup, background job) would stay ignored."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Place:
    """Fixtures, a certificate directory and a place for temporary files, all of one test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.fixtures = root / "fixtures"
        self.authority = root / "ca"
        self.temporary = root / "tmp"
        self.temporary.mkdir()
        (self.fixtures / "scenarios").mkdir(parents=True)
        (self.fixtures / "mock.yaml").write_text("accounts: [{name: demo, key: demo-key}]\n")
        (self.fixtures / "scenarios" / "car.yaml").write_text(
            f"scenario: car\nwhen: {{url: '*car.jpg'}}\nreading: {{plate: 9DJC652, vin: {VIN}}}\n"
        )

    def environ(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "VEHICLE_OCR_MOCK_CA_DIR": str(self.authority),
            "TMPDIR": str(self.temporary),
            **(more or {}),
        }

    def start(self, *command: str, flags: tuple[str, ...] = (), **more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [*EXEC, str(self.fixtures), *flags, "--", *command],
            env=self.environ(more),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed_signals,
        )

    def run(
        self, *command: str, flags: tuple[str, ...] = (), text: str = "", **more: str
    ) -> "subprocess.CompletedProcess[str]":
        with self.start(*command, flags=flags, **more) as process:
            out, err = process.communicate(text, timeout=PATIENCE)
        return subprocess.CompletedProcess(command, process.returncode, out, err)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A directory for one test. No temporary file may be left in it."""
    made = Place(tmp_path)
    yield made

    assert list(made.temporary.iterdir()) == []


def test_a_python_child_meets_the_mock(place: Place) -> None:
    """The child names the real host; nothing but its own output is on stdout."""
    result = place.run(PYTHON, "-c", ASK)

    assert (result.stdout, result.stderr, result.returncode) == (VIN + "\n", "", 0)


def test_the_mock_is_named_in_the_environment(place: Place) -> None:
    """Both base URLs are in environment variables."""
    result = place.run("sh", "-c", "echo $VEHICLE_OCR_MOCK_URL $VEHICLE_OCR_MOCK_TLS_URL")
    http, https = result.stdout.split()

    assert http.startswith("http://127.0.0.1:")
    assert https.startswith("https://127.0.0.1:")


def test_the_mock_is_reached_without_the_proxy(place: Place) -> None:
    """Behind a proxy, the address in the environment is reached directly, by all of these clients."""
    script = (
        "import httpx, os, requests, urllib.request\n"
        "url = os.environ['VEHICLE_OCR_MOCK_URL'] + '/healthz'\n"
        "print(requests.get(url).status_code, httpx.get(url).status_code, urllib.request.urlopen(url).status)\n"
        "print(os.environ['NO_PROXY'])"
    )
    proxy = "http://127.0.0.1:9"
    result = place.run(PYTHON, "-c", script, HTTP_PROXY=proxy, http_proxy=proxy, NO_PROXY="intranet.test")
    statuses, exceptions = result.stdout.splitlines()

    assert statuses == "200 200 200"
    assert exceptions.startswith("intranet.test,")


def test_children_of_the_child_meet_it_too(place: Place) -> None:
    """Children of the child, through a shell, also reach the mock."""
    shell = shutil.which("sh")
    assert shell
    script = f"import subprocess, sys; subprocess.run([{shell!r}, '-c', 'exec \"$0\" -c \"$1\"', {PYTHON!r}, {ASK!r}])"
    result = place.run(PYTHON, "-c", script)

    assert result.stdout == VIN + "\n"


def test_a_child_that_forks(place: Place) -> None:
    """Both sides of a fork are led to the mock."""
    # One after the other: a line and its end may be two writes, and both write to one pipe.
    script = f"import os\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n{ASK}"

    assert place.run(PYTHON, "-c", script).stdout == f"{VIN}\n{VIN}\n"


def test_stdin_reaches_the_child(place: Place) -> None:
    """The child reads all of the input."""
    assert place.run("cat", text="one\ntwo\n").stdout == "one\ntwo\n"


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("kill -15 $$", 143), ("kill -6 $$", 134)]
)
def test_the_exit_code_is_the_childs(place: Place, script: str, code: int) -> None:
    """A child that dies by a signal gives 128 and the signal's number, as in a shell."""
    assert place.run("sh", "-c", script).returncode == code


def test_arguments_are_passed_as_they_are(place: Place) -> None:
    """Nothing after the first `--` is read, not even options or another `--`."""
    result = place.run(PYTHON, "-c", "import sys; print(sys.argv[1:])", "--port", "1", "--", "a b", "")

    assert result.stdout == "['--port', '1', '--', 'a b', '']\n"


def test_a_command_that_is_not_there(place: Place) -> None:
    """Exit code 127, as in a shell, and one sentence."""
    result = place.run("no-such-command")

    assert (result.returncode, result.stderr) == (127, "vehicle-ocr-mock: no-such-command: No such file or directory\n")


def test_a_command_that_cannot_be_run(place: Place) -> None:
    """Exit code 126, as in a shell, and one sentence."""
    result = place.run(str(place.fixtures / "mock.yaml"))

    assert result.returncode == 126
    assert "Permission denied" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("--",), ("somewhere",), ("--seed", "1", "--")])
def test_no_command_is_a_usage_error(place: Place, arguments: tuple[str, ...]) -> None:
    """Exit code 2, and the correct usage."""
    result = subprocess.run([*EXEC, *arguments], env=place.environ(), capture_output=True, text=True, check=False)

    assert result.returncode == 2
    assert "put it after --" in result.stderr


def test_options_of_serve_are_understood(place: Place) -> None:
    """`exec` takes the options of `serve`."""
    script = ASK.replace('))["vin"]', ")).keys(), list(urllib.request.urlopen(request).headers)")
    result = place.run(PYTHON, "-c", script, flags=("--no-mock-headers", "--seed", "5"))

    assert "vin" in result.stdout
    assert "x-mock" not in result.stdout.lower()
    assert "x-mock" in place.run(PYTHON, "-c", script).stdout.lower()


def test_bad_fixtures_stop_before_the_command(place: Place) -> None:
    """All mistakes, exit code 1, and the command never runs."""
    (place.fixtures / "scenarios" / "car.yaml").write_text("scenario: car\nwhen: {colour: red}\n")
    result = place.run("sh", "-c", "echo ran")

    assert (result.returncode, result.stdout) == (1, "")
    assert "car.yaml:2" in result.stderr


@pytest.mark.parametrize("flag", ["--port", "--tls-port"])
def test_a_port_that_is_taken_stops_before_the_command(place: Place, flag: str) -> None:
    """A sentence with the port in it, exit code 1, and the command never runs."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = place.run("sh", "-c", "echo ran", flags=(flag, port))

    assert (result.returncode, result.stdout) == (1, "")
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr


def test_two_at_once_do_not_meet(place: Place) -> None:
    """Each has its own ports; both start from nothing and agree on one authority."""
    script = ASK + "import os; print(os.environ['VEHICLE_OCR_MOCK_TLS_URL'], flush=True); sys.stdin.read()"
    both = [place.start(PYTHON, "-c", script) for _ in range(2)]
    urls = []
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == VIN + "\n"
        urls.append(process.stdout.readline())
    codes = [(process.communicate("", timeout=PATIENCE), process.returncode)[1] for process in both]

    assert len(set(urls)) == 2
    assert codes == [0, 0]


WAIT = "import sys, time; print('up', flush=True); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_child_and_all_is_cleaned_up(place: Place, number: signal.Signals) -> None:
    """A signal for `exec` goes to the child, and the exit code shows that the signal ended it."""
    with place.start(PYTHON, "-S", "-c", WAIT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + number


def test_a_signal_before_the_child_is_up_leaves_nothing(place: Place) -> None:
    """`exec` deletes its files also when a signal ends it before the child runs."""
    with place.start(PYTHON, "-S", "-c", WAIT) as process:
        deadline = time.monotonic() + PATIENCE
        # tempfile tries the directory with a file of its own before.
        while not any(place.temporary.glob("vehicle-ocr-mock-*")) and time.monotonic() < deadline:
            os.sched_yield()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + signal.SIGTERM


def test_a_child_may_answer_a_signal_itself(place: Place) -> None:
    """If the child handles the signal, the child decides the exit code."""
    # A handler may interrupt print(), so it does not print itself: that raises RuntimeError.
    script = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGUSR1, lambda *_: (os.write(1, b'heard\\n'), os._exit(5)))\n"
        "os.write(1, b'up\\n'); time.sleep(60)"
    )
    with place.start(PYTHON, "-c", script) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGUSR1)
        out, _ = process.communicate(timeout=PATIENCE)

    assert (out, process.returncode) == ("heard\n", 5)


def test_a_signal_reaches_the_childs_children(place: Place) -> None:
    """Without a terminal, a signal to a shell also ends the program that the shell waits for."""
    with place.start("sh", "-c", f'"{PYTHON}" -S -c "{WAIT}"; true') as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        # The pipe is closed only when the last of them is gone.
        process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + signal.SIGTERM


ANOTHER_THREAD_TAKES_IT = """
import os, signal, sys, threading
from mock_server.cli.child import run_child

def send_to_this_thread():
    os.read(reading, 1)
    signal.pthread_kill(threading.get_ident(), signal.SIGTERM)

reading, writing = os.pipe()
os.dup2(writing, 1)
threading.Thread(target=send_to_this_thread).start()
child = "import os, time; os.write(1, b'.'); time.sleep(60)"
sys.exit(run_child([sys.executable, "-c", child], os.environ))
"""


def test_a_signal_that_another_thread_takes_is_passed_on() -> None:
    """The system may give a signal to any thread, and the one that waits for the child passes it on at once."""
    result = subprocess.run([PYTHON, "-c", ANOTHER_THREAD_TAKES_IT], timeout=PATIENCE, check=False)

    assert result.returncode == 128 + signal.SIGTERM


def test_the_end_of_a_child_is_seen_where_ended_children_are_ignored(place: Place) -> None:
    """A parent may have SIGCHLD ignored, which this process inherits. The exit code stays that of the child."""
    script = "import os, sys; from signal import *; signal(SIGCHLD, SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    command = [PYTHON, "-c", script, *EXEC, str(place.fixtures), "--", "sh", "-c", "exit 7"]

    assert subprocess.run(command, env=place.environ(), timeout=PATIENCE, check=False).returncode == 7


IN_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
COUNT_INTERRUPTS = """
import signal, sys, time
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
print("up", flush=True)
sys.stdin.readline()
print("heard", len(heard), flush=True)
sys.exit(3)
"""


def test_in_a_terminal_an_interrupt_is_heard_once(place: Place) -> None:
    """Ctrl-C reaches the child from the terminal itself, not a second time from `exec`; input stays the child's."""
    command = [*EXEC, str(place.fixtures), "--", PYTHON, "-c", COUNT_INTERRUPTS]
    with subprocess.Popen(
        [PYTHON, "-c", IN_A_TERMINAL, *command],
        env=place.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline().strip() == "up"
        process.stdin.write("\x03")
        process.stdin.flush()
        # The terminal echoes ^C once it has sent the signal.
        assert process.stdout.read(2) == "^C"
        out, _ = process.communicate("\n", timeout=PATIENCE)

    assert (out.split(), process.returncode) == (["heard", "1"], 3)


def test_an_ignored_signal_stays_ignored(place: Place) -> None:
    """A signal that is ignored, for example by nohup, is ignored in the child too."""
    script = "import signal; print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    result = subprocess.run(
        ["nohup", *EXEC, str(place.fixtures), "--", PYTHON, "-c", script],
        env=place.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.stdout == "True\n"


def test_an_authority_about_to_expire_is_renewed(place: Place) -> None:
    """The child trusts the renewed certificate."""
    old = CertificateAuthority.open(place.authority, now=datetime.now(UTC) - AUTHORITY_LIFE + timedelta(hours=1))
    result = place.run(PYTHON, "-c", ASK)

    assert result.stdout == VIN + "\n"
    assert old.certificate_path.read_bytes() != old.certificate_pem()


def test_a_data_directory_that_cannot_be_used(place: Place) -> None:
    """A sentence, exit code 1, no command run, nothing half-written."""
    place.authority.write_text("a file, no directory")
    result = place.run("sh", "-c", "echo ran")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("vehicle-ocr-mock: the certificate authority cannot be stored in ")
    assert len(result.stderr.splitlines()) == 1


def test_the_private_key_is_never_in_the_childs_reach(place: Place) -> None:
    """No file that the child's environment names contains a private key or is readable by others."""
    script = """
import os, pathlib, stat
for value in os.environ.values():
    path = pathlib.Path(value)
    if value.startswith(os.environ["TMPDIR"]) and path.is_file():
        assert b"PRIVATE KEY" not in path.read_bytes(), path
        print(oct(stat.S_IMODE(path.parent.stat().st_mode)))
"""
    result = place.run(PYTHON, "-c", script)

    assert result.stderr == ""
    assert set(result.stdout.split()) == {oct(stat.S_IRWXU)}


def test_one_exec_inside_another(place: Place) -> None:
    """The inner mock answers, not the outer one."""
    inner = [*EXEC, str(place.fixtures), "--", PYTHON, "-c", ASK]

    assert place.run(*inner).stdout == VIN + "\n"


def alone(*command: str) -> list[str]:
    """The command in a network of its own, with nothing but loopback."""
    prefix = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    if not (shutil.which("unshare") and shutil.which("ip")):
        pytest.skip("needs unshare and ip")
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("network namespaces are not allowed here")
    return [*prefix, *command]


def test_without_any_network_it_works_as_well(place: Place) -> None:
    """With nothing but loopback, and no name server, the real names lead to the mock."""
    result = subprocess.run(
        alone(*EXEC, str(place.fixtures), "--", PYTHON, "-c", ASK),
        env=place.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stdout, result.stderr) == (VIN + "\n", "")


def test_no_free_port_stops_before_the_command(place: Place) -> None:
    """On a machine whose ports are all in use: a sentence, exit code 1, and the command never runs."""
    one_port = 'echo "50000 50000" > /proc/sys/net/ipv4/ip_local_port_range && exec "$@"'
    result = subprocess.run(
        alone("sh", "-c", one_port, "sh", *EXEC, str(place.fixtures), "--", "echo", "ran"),
        env=place.environ(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stdout) == (1, "")
    assert "cannot listen on 127.0.0.1:0: Address already in use" in result.stderr
