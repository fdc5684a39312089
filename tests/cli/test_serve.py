"""The verb `serve`: one line when ready, settings from three places, exit codes, a clean end."""

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from mock_server.settings import shipped_fixtures
from tests.cli.command import COMMAND, READY, run, served
from tests.support import FIXTURES, PATIENCE, carsxe, eventually, line_to, picture, vehicore

SHIPPED = str(FIXTURES)


def test_one_line_on_stdout_then_a_clean_end() -> None:
    """Stdout holds the ready line with the real port and nothing else; SIGTERM and SIGINT end with 0."""
    for signum in (signal.SIGTERM, signal.SIGINT):
        with served(SHIPPED) as server:
            assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE).json()["status"] == "healthy"
            assert server.end(signum) == 0
            assert server.stdout == f"{READY}{server.url}\n"


@pytest.mark.parametrize(("host", "address"), [("0.0.0.0", "127.0.0.1"), ("::", "[::1]")])
def test_a_server_on_all_addresses(host: str, address: str) -> None:
    """The ready line has an address that a browser can open, and says that there are more."""
    if host == "::" and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    with served(SHIPPED, "--host", host) as server:
        assert server.url.startswith(f"http://{address}:")
        assert server.stdout == f"{READY}{server.url} (all addresses)\n"
        assert httpx.get(f"{server.url}/healthz", timeout=PATIENCE).status_code == 200


@pytest.mark.parametrize("module", ["click", "uvicorn", "mock_server.app"])
def test_an_interrupt_while_the_program_loads(tmp_path: Path, module: str) -> None:
    """Ctrl-C ends `serve` at once, and no traceback is shown."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, signal, sys\n"
        # A shell that runs the tests in the background has them ignore the signal.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Interrupting:\n"
        "    def find_spec(self, name, *_):\n"
        f"        if name == {module!r}:\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Interrupting())\n"
    )
    ended = run("serve", SHIPPED, "--port", "0", environment={"PYTHONPATH": str(tmp_path)})

    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_sigterm_finishes_requests_in_flight(tmp_path: Path) -> None:
    """A request that is being answered when SIGTERM comes gets its whole answer."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "mock.yaml").write_text("accounts: [{name: d, key: demo-key}]\n")
    (tmp_path / "scenarios" / "slow.yaml").write_text(
        "scenario: slow\nwhen: {url: 'https://x.test/*'}\nreading: {vin: JHLRD77874C026456}\nthen: [{delay: 500ms}]\n"
    )
    request = (
        b"POST /v1/vinocr?key=demo-key HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Content-Length: 37\r\n\r\n{"image_url": "https://x.test/a.jpg"}'
    )
    with served(str(tmp_path)) as server, line_to(server.url) as line:
        line.send(request)
        httpx.get(f"{server.url}/healthz", timeout=PATIENCE)

        assert server.end() == 0
        assert line.reply().json()["vin"] == "JHLRD77874C026456"


def _process_id(started: "subprocess.Popen[bytes]", *, is_child: bool) -> int | None:
    """The server's process id: of the started process, or of its only child."""
    if not is_child:
        return started.pid
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    return int(children[0]) if children else None


def _handles(pid: int, signum: int) -> bool:
    caught = re.search(r"SigCgt:\s*([0-9a-f]+)", Path(f"/proc/{pid}/status").read_text())
    return caught is not None and bool(int(caught[1], 16) >> (signum - 1) & 1)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
@pytest.mark.parametrize("prefix", [[], ["unshare", "--pid", "--fork", "--kill-child"]], ids=["plain", "PID 1"])
def test_sigterm_while_starting_ends_at_once(prefix: list[str]) -> None:
    """The server ends with 0 before it is ready, also as the first process of a container."""
    if prefix and subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this user may not create a process namespace")
    command = [*prefix, *COMMAND, "serve", "--port", "0", "--no-cache", SHIPPED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        pid, until = None, time.monotonic() + PATIENCE
        while pid is None or not _handles(pid, signal.SIGTERM):
            assert time.monotonic() < until
            time.sleep(0.005)
            pid = _process_id(process, is_child=bool(prefix))
        os.kill(pid, signal.SIGTERM)
        output, _ = process.communicate(timeout=PATIENCE)

        assert process.returncode == 0
        assert output == b""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc")
def test_sighup_while_starting_does_no_harm() -> None:
    """It asks for a reload, and the start reads the files: the server becomes ready, and ends with 0 on SIGTERM."""
    command = [*COMMAND, "serve", "--port", "0", "--no-cache", SHIPPED]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        until = time.monotonic() + PATIENCE
        while not _handles(process.pid, signal.SIGHUP):
            assert time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)

    assert line.startswith(READY)
    assert process.returncode == 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_hints_are_lines_that_work() -> None:
    """`--hints` prints a curl line for each endpoint on stderr, two that fail, and the dashboard; all work."""
    with served("--hints") as server:
        pattern = re.compile(r"^curl .*$", re.MULTILINE)
        lines: list[str] = []
        assert server.process.stderr is not None
        while len(lines) < 6:
            lines += pattern.findall(server.process.stderr.readline())
        answers = [
            subprocess.run(
                [*shlex.split(line), "--silent"], capture_output=True, text=True, timeout=PATIENCE, check=True
            )
            for line in lines
        ]
        assert server.process.stderr.readline() == "\n"
        dashboard = server.process.stderr.readline().strip().removeprefix("# dashboard: ")

        assert "<html" in httpx.get(dashboard, timeout=PATIENCE).text

    assert ["/api/ocr/plate" in lines[0], "/platerecognition" in lines[1]] == [True, True]
    assert ["/api/ocr/vin" in lines[2], "/v1/vinocr" in lines[3]] == [True, True]
    assert ['"result":' in answers[0].stdout, '"results":[{' in answers[1].stdout] == [True, True]
    assert ['"result":' in answers[2].stdout, '"vin":' in answers[3].stdout] == [True, True]
    assert "INSUFFICIENT_CREDITS" in answers[4].stdout
    assert "Unexpected server error" in answers[5].stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "said"),
    [
        (["--no-such-flag"], {}, 2, "No such option"),
        (["--port", "http"], {}, 2, "'http' is not a valid integer"),
        (["--port", "99999"], {}, 1, "--port is 99999"),
        (["--unmatched", "guess"], {}, 1, "--unmatched is 'guess', not one of synthesize, nothing_found, error"),
        ([], {"VEHICLE_OCR_MOCK_PORT": "many"}, 1, "VEHICLE_OCR_MOCK_PORT is 'many', not a whole number"),
        ([], {"VEHICLE_OCR_MOCK_STRICT": "perhaps"}, 1, "VEHICLE_OCR_MOCK_STRICT is 'perhaps', neither true nor false"),
    ],
)
def test_wrong_settings(arguments: list[str], environment: dict[str, str], code: int, said: str) -> None:
    """Wrong usage is exit code 2, a wrong value 1; both say what is wrong, without a traceback."""
    ended = run("serve", SHIPPED, *arguments, environment={"COLUMNS": "200", **environment})

    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_bad_fixtures(tmp_path: Path) -> None:
    """All mistakes in the fixtures are printed with their places, and nothing is served."""
    (tmp_path / "mock.yaml").write_text("acounts: []\nunmatched: guess\n")
    ended = run("serve", str(tmp_path), "--port", "0")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert re.search(r"mock\.yaml:1:1: .*accounts", ended.stderr)
    assert re.search(r"mock\.yaml:2:\d+: ", ended.stderr)


def test_a_port_that_is_taken() -> None:
    """A port in use is exit code 1 with one sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("serve", SHIPPED, "--port", str(taken.getsockname()[1]))

    assert ended.returncode == 1
    assert "cannot listen on 127.0.0.1:" in ended.stderr


def test_flag_then_environment_then_file(tmp_path: Path) -> None:
    """A flag wins over the environment, that over `mock.yaml`, that over the default."""
    (tmp_path / "mock.yaml").write_text(
        "accounts: [{name: d, key: demo-key}]\nunmatched: nothing_found\nmock_headers: false\nstrict: true\n"
    )
    environment = {"VEHICLE_OCR_MOCK_STRICT": "false", "VEHICLE_OCR_MOCK_FIXTURES": str(tmp_path)}
    with (
        served("--unmatched", "synthesize", environment=environment) as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        reply = vehicore(client)

        assert reply.json()["result"], "the flag says synthesize"
        assert "x-mock-match" not in reply.headers, "the file says no headers"
        assert client.post("/vinocr").status_code == 400, "the environment says not strict"


@pytest.mark.parametrize("format", ["text", "json"])
def test_no_key_in_any_line_of_the_log(format: str) -> None:
    """Whatever the level and the format, no key is printed, wherever the client put it."""
    key = "sk-live-0123456789abcdef"
    with served(SHIPPED, "--log-level", "debug", "--log-format", format) as server:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            vehicore(client, key=key)
            carsxe(client, key=key)
            carsxe(client, reference=f"https://u:{key}@x.test/a.jpg?key={key}")
            client.get(f"/nowhere?key={key}")
            client.post("/platerecognition", json={"key": key, "image": "https://x.test/a.jpg"})

        assert server.end() == 0
        assert "carsxe" in server.stderr, "requests are logged"
        assert key not in server.stderr
        assert key not in server.stdout


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with fixtures in ./fixtures."""
    (tmp_path / "fixtures" / "scenarios").mkdir(parents=True)
    (tmp_path / "fixtures" / "scenarios" / "car.yaml").write_text(
        "scenario: car\nwhen: {image: car.jpg}\nreading: {plate: ABC123}\n"
    )
    (tmp_path / "fixtures" / "scenarios" / "car.jpg").write_bytes(picture("car"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
    return tmp_path


def test_the_directory_fixtures_is_the_default(somewhere: Path) -> None:
    """Every verb uses ./fixtures where it exists and no other directory is named."""
    photo = str(shipped_fixtures() / "images" / "texas-pickup.jpg")
    with served() as server:
        server.end()

    assert "serving fixtures: 1 scenario, 1 picture" in server.stderr
    assert "fixtures: 1 scenario," in run("validate").stderr
    assert "match car" in run("match", "fixtures/scenarios/car.jpg").stdout
    script = "curl -s $VEHICLE_OCR_MOCK_URL/__admin/health"
    assert '"scenarios":1' in run("exec", "--", "sh", "-c", script).stdout
    assert "fixtures/scenarios/new.yaml" in run("add", photo, "--name", "new", "--plate", "NEW1").stdout.splitlines()
    assert "fixtures: 2 scenarios" in run("doctor").stdout


def test_the_environment_wins_over_the_directory_fixtures(somewhere: Path) -> None:
    """A directory that a variable names is used instead of ./fixtures."""
    assert f"{SHIPPED}: " in run("validate", environment={"VEHICLE_OCR_MOCK_FIXTURES": SHIPPED}).stderr


def test_a_directory_fixtures_of_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory ./fixtures of another program, without any of our files, is not used."""
    (tmp_path / "fixtures").mkdir()
    (tmp_path / "fixtures" / "users.json").write_text("[]")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))

    assert " 0 scenarios" not in run("validate").stderr


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ([], 16),
        (["--keep-uploads", "2"], 2),
        (["--keep-uploads", "0"], 0),
        (["--host", "0.0.0.0", "--admin-token", "t"], 0),
        (["--host", "0.0.0.0", "--admin-token", "t", "--keep-uploads", "3"], 3),
    ],
)
def test_uploads_are_kept_on_loopback(options: list[str], count: int) -> None:
    """`serve` keeps 16 uploads on loopback, none elsewhere, or as many as the option says."""
    with served(SHIPPED, *options) as server:
        reply = httpx.get(f"{server.url}/__admin/workbench", headers={"Authorization": "Bearer t"}, timeout=PATIENCE)

    assert reply.json()["keptUploads"] == count


def test_several_processes_keep_no_uploads() -> None:
    """An upload is in the memory of one process, so the option is refused with several."""
    ended = run("serve", SHIPPED, "--workers", "2", "--state", "redis://127.0.0.1:1/0", "--keep-uploads", "4")

    assert ended.returncode == 1
    assert "--keep-uploads works with one process" in ended.stderr


def test_files_are_reloaded_where_inotify_is_used_up(somewhere: Path) -> None:
    """The server asks the kernel for no watch: other programs may have taken all of them."""
    prefix = ["unshare", "--user", "--map-root-user", "sh", "-c"]
    prefix += ['echo 0 >/proc/sys/user/max_inotify_instances && exec "$@"', "sh"]
    if not shutil.which("unshare") or subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode:
        pytest.skip("user namespaces are not available")
    with served(prefix=prefix) as server:
        (somewhere / "fixtures" / "scenarios" / "more.yaml").write_text("scenario: more\nwhen: {product: vin}\n")

        assert eventually(lambda: httpx.get(f"{server.url}/__admin/health", timeout=PATIENCE).json()["scenarios"] == 2)
