"""The verb `ca`: where the certificate is, and how each runtime can be made to trust it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mock_server.certificate_authority import CertificateAuthority


def ca(place: Path, *flags: str) -> "subprocess.CompletedProcess[str]":
    """Run the command on an authority of its own."""
    return subprocess.run(
        [sys.executable, "-m", "mock_server", "ca", *flags],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "VEHICLE_OCR_MOCK_CA_DIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_path_alone_for_scripts(tmp_path: Path) -> None:
    """`$(vehicle-ocr-mock ca)` is the path, and the certificate is there."""
    result = ca(tmp_path / "ca")

    assert result.stdout == f"{tmp_path / 'ca' / 'ca.pem'}\n"
    assert (tmp_path / "ca" / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")


@pytest.mark.parametrize(
    "runtime",
    ["curl", "Python requests", "Python httpx", "Python aiohttp", "Node", "Go", "Java", "Ruby", "PHP", ".NET"],
)
def test_one_line_for_each_runtime(tmp_path: Path, runtime: str) -> None:
    """The hint for a runtime is one line that can be pasted, with the path in it."""
    lines = [line for line in ca(tmp_path / "c a", "--install-hint").stdout.splitlines() if f"  {runtime}: " in line]

    assert len(lines) == 1
    assert f"'{tmp_path / 'c a' / 'ca.pem'}'" in lines[0]


def test_the_java_line_makes_a_store_that_java_reads(tmp_path: Path) -> None:
    """The longest of the lines, run."""
    if subprocess.run(["sh", "-c", "command -v keytool"], capture_output=True, check=False).returncode:
        pytest.skip("keytool is not installed here")
    line = next(line for line in ca(tmp_path / "ca", "--install-hint").stdout.splitlines() if "  Java: " in line)
    script = line.partition(":")[2] + " && keytool -list -keystore mock.p12 -storepass changeit"
    result = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "vehicle-ocr-mock" in result.stdout, result.stdout + result.stderr


def test_the_certificate_itself(tmp_path: Path) -> None:
    """`--pem` is for machines that share no files with this one."""
    result = ca(tmp_path / "ca", "--pem")

    assert result.stdout.encode() == CertificateAuthority.open(tmp_path / "ca").certificate_pem()


def test_a_directory_that_cannot_be_used(tmp_path: Path) -> None:
    """One sentence, exit code 1."""
    (tmp_path / "ca").write_text("a file")
    result = ca(tmp_path / "ca")

    assert result.returncode == 1
    assert result.stderr.startswith("vehicle-ocr-mock: the certificate authority cannot be stored in ")
