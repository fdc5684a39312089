"""Help and completion in the shell."""

import subprocess

import pytest

from mock_server.cli.verbs import VERBS
from tests.cli.command import run


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_the_help_has_a_whole_sentence_for_each_verb(flag: str) -> None:
    """No line is cut off at 80 columns."""
    shown = run(flag, environment={"COLUMNS": "80"}).stdout.splitlines()
    lines = shown[shown.index("Commands:") + 1 :]

    assert [line.split()[0] for line in lines] == list(VERBS)
    assert all(line.endswith(".") and not line.endswith("...") for line in lines)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("do", ["plain,doctor"]),
        ("serve --unmatched no", ["plain,nothing_found"]),
        ("serve --log-f", ["plain,--log-format"]),
        ("serve fix", ["file,fix"]),
        ("exec --unmatched-url re", ["plain,refuse"]),
        ("exec fixtures --proxy -- pytest tes", ["file,tes"]),
        ("exec fixtures -- pytest --no", ["file,--no"]),
        ("image sc", ["plain,scene"]),
        ("image scene --vehicle sed", ["plain,sedan", "plain,sedan-front"]),
        ("image plate --region us-ca", ["plain,us-ca"]),
        ("image scene --place gar", ["plain,garage"]),
        ("image vin --style pr", ["plain,pricked"]),
        ("image plate --paint na", ["plain,navy"]),
        ("compare c", ["plain,carsxe"]),
        ("add photo.jpg --ask v", ["plain,vehicore"]),
        ("match photo.jpg --provider v", ["plain,vehicore"]),
        ("match photo.jpg --product v", ["plain,vin"]),
        ("schema re", ["plain,report"]),
    ],
)
def test_completion_in_the_shell(words: str, expected: list[str]) -> None:
    """The shell completes verbs, options, the words of an option, and the names of files."""
    environ = {
        "_VEHICLE_OCR_MOCK_COMPLETE": "bash_complete",
        "COMP_WORDS": f"vehicle-ocr-mock {words}",
        "COMP_CWORD": str(len(words.split())),
    }

    assert run(environment=environ).stdout.splitlines() == expected


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_the_shell(shell: str) -> None:
    """The line of the documents prints a script; bash can read its own."""
    result = run(environment={"_VEHICLE_OCR_MOCK_COMPLETE": f"{shell}_source"})

    assert "vehicle-ocr-mock" in result.stdout
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=result.stdout, text=True, check=True)
