"""The server as a process: its token and its log on stderr."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from tests.support import FIXTURES, PATIENCE, vehicore

ROOT = Path(__file__).parent.parent.parent


def test_the_token_is_printed_once_and_keys_never(tmp_path: Path) -> None:
    """Off loopback the server prints a generated token. Its JSON log has each request by id, without its key."""
    options = ["--host", "0.0.0.0", "--port", "0", "--log-format", "json", "--no-watch"]
    process = subprocess.Popen(
        [sys.executable, "-m", "mock_server", "serve", str(FIXTURES), *options],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    url = process.stdout.readline().removesuffix(" (all addresses)\n").split()[-1]
    try:
        with httpx.Client(base_url=url, timeout=PATIENCE) as client:
            ids = [vehicore(client, key=key).headers["X-Mock-Request-Id"] for key in ("demo-key", "an-unknown-key")]
            client.post("/platerecognition", params={"key": "a-key-in-the-url"}, json={})
            refused = client.get("/__admin/requests").status_code
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    lines = errors.splitlines()
    tokens = [line for line in lines if line.startswith("admin token: ")]
    requests = [json.loads(line) for line in lines if line.startswith("{")]

    assert (process.returncode, refused, len(tokens)) == (0, 401, 1)
    assert len(tokens[0].removeprefix("admin token: ")) >= 32
    assert [one["request_id"] for one in requests if one["event"] == "request"][:2] == ids
    assert [one["status"] for one in requests if one["event"] == "request"] == [200, 401, 401]
    assert not [key for key in ("demo-key", "an-unknown-key", "a-key-in-the-url") if key in errors]
