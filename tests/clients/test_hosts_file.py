"""The section on the hosts file, run as it is printed: in a namespace with a hosts file and a network of its own."""

import re
import subprocess
from pathlib import Path

import pytest

from mock_server.certificate_authority import CA_DIRECTORY_VARIABLE
from mock_server.core.model import Product
from mock_server.providers.registry import PROVIDERS
from tests.cli.command import on_path
from tests.support import FIXTURES, PATIENCE, tool

from .conftest import without_network

ROOT = Path(__file__).parents[2]
_SECTION = (ROOT / "docs" / "clients.md").read_text(encoding="utf-8").partition("## The hosts file\n")[2]
_LINES = re.findall(r"^# (.*)$", _SECTION.partition("```console\n")[2].partition("```")[0], re.MULTILINE)
# The commands of the section, in order; the server's runs in the background, and its picture and key are the tests'.
_SCRIPT = """
set -eu
mount --bind "$PRIVATE_HOSTS" /etc/hosts
{write}
{serve} "$FIXTURES" > ready 2> log &
server=$!
for _ in $(seq 300); do if grep -q ready ready; then break; fi; sleep 0.1; done
eval "$(vehicle-ocr-mock ca --install-hint | sed -n 's/^ *curl: *//p')"
for url in "$@"; do
  curl --silent --show-error --output /dev/null --write-out "%{{http_code}} $url\\n" -X POST "$url"
done
kill $server
wait $server
"""


def test_the_real_names_lead_to_the_mock(tmp_path: Path) -> None:
    """By http and https, on the standard ports, with the certificate that curl's line of the hint names."""
    tool("curl")
    namespace = without_network()
    if not namespace:
        pytest.skip("network namespaces are not allowed here")
    write, serve = _LINES
    (tmp_path / "bin").mkdir()
    hosts = tmp_path / "hosts"
    hosts.write_bytes(Path("/etc/hosts").read_bytes())
    before = Path("/etc/hosts").read_bytes()
    urls = [
        f"{scheme}://{host}{provider.example_call(Product.PLATE, '', '').path}"
        for provider in PROVIDERS
        for host in provider.hosts
        for scheme in ("http", "https")
    ]
    # The namespace needs a mount namespace of its own as well.
    prefix = [word.replace("--net", "--net --mount") for word in namespace]
    command = [part for word in prefix for part in (word.split() if word.startswith("--net") else [word])]
    ended = subprocess.run(
        [*command, "sh", "-c", _SCRIPT.format(write=write, serve=serve), "sh", *urls],
        cwd=tmp_path,
        env={
            **on_path(tmp_path / "bin"),
            CA_DIRECTORY_VARIABLE: str(tmp_path / "ca"),
            "PRIVATE_HOSTS": str(hosts),
            "FIXTURES": str(FIXTURES),
        },
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == [f"401 {url}" for url in urls], ended.stderr
    assert Path("/etc/hosts").read_bytes() == before
