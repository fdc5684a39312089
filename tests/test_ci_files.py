"""The files for CI systems and Kubernetes: they are parsed, and their commands are run in a clean directory.

`scripts/check-workflows` also checks them against the schemas of these systems.
"""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import mock_server
from mock_server.scenarios.load import load
from mock_server.settings import ENVIRONMENT_PREFIX, setting_names
from tests.cli.command import on_path
from tests.support import PATIENCE, free_port

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(
    [*(ROOT / ".github" / "workflows").glob("*.yml"), *(ROOT / "examples" / "github-actions").glob("*.yml")]
)
ACTION, REPORT = ROOT / "action.yml", ROOT / "actions" / "report" / "action.yml"
EXPRESSION = re.compile(r"\$\{\{ *([\w.-]+) *\}\}")

TESTS = (
    "import os, requests\n\n"
    "def test_gate():\n"
    "    url = os.environ.get('VEHICLE_OCR_MOCK_URL', 'https://api.carsxe.com')\n"
    "    picture = {'image_url': 'https://api.carsxe.com/images/california-sedan.jpg'}\n"
    "    reply = requests.post(url + '/platerecognition?key=demo-key', json=picture)\n"
    "    assert reply.json()['results'][0]['plate'] == '9djc652'\n"
)


def parsed(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


class Runner:
    """Runs the steps of a job as GitHub does: one shell for each step, variables and outputs by files."""

    def __init__(self, here: Path, bin: Path) -> None:
        self.here = here
        self.temporary = here / "runner-temp"
        self.temporary.mkdir()
        (here / "vehicle-ocr-mock").symlink_to(ROOT)
        self.files = {name: self.temporary / name for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY")}
        for file in self.files.values():
            file.touch()
        self.environ = on_path(bin) | {"RUNNER_TEMP": str(self.temporary), "VEHICLE_OCR_MOCK_CA_DIR": str(here / "ca")}
        self.environ.pop("VEHICLE_OCR_MOCK_URL", None)
        self.groups: list[int] = []

    def step(self, step: dict[str, Any], values: dict[str, str]) -> str:
        """Run one step with these values for expressions; returns the output."""

        def filled(text: str) -> str:
            return EXPRESSION.sub(lambda match: values[match[1]], text)

        environ = {name: filled(str(value)) for name, value in step.get("env", {}).items()}
        files = {name: str(path) for name, path in self.files.items()}
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", filled(step["run"])]
        with (self.temporary / "log").open("w+") as log:
            # A file, not a pipe: a server in the background keeps it open.
            process = subprocess.Popen(
                command,
                cwd=self.here,
                env=self.environ | self.variables("GITHUB_ENV") | environ | files,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self.groups.append(process.pid)
            code = process.wait(timeout=PATIENCE)
            log.seek(0)
            output = log.read()
        assert code == 0, output
        return output

    def variables(self, file: str) -> dict[str, str]:
        """What the steps have written."""
        return dict(line.split("=", 1) for line in self.files[file].read_text().splitlines())

    def end(self) -> None:
        """End what the steps have left running."""
        for group in self.groups:
            with_group = f"-{group}"
            subprocess.run(["kill", "-TERM", "--", with_group], capture_output=True, check=False)


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A machine of its own for one job, with the command on the path."""
    bin = tmp_path / "bin"
    bin.mkdir()
    (tmp_path / "work").mkdir()
    made = Runner(tmp_path / "work", bin)
    yield made
    made.end()


def inputs_of(action: Path, **given: str) -> dict[str, str]:
    """The values of an action's inputs."""
    defaults = {f"inputs.{name}": str(one.get("default", "")) for name, one in parsed(action)["inputs"].items()}
    return defaults | {f"inputs.{name}": value for name, value in given.items()}


def named_step(action: Path, name: str) -> dict[str, Any]:
    """A step of a composite action."""
    return next(step for step in parsed(action)["runs"]["steps"] if step["name"] == name)


def test_the_action_serves_for_the_steps_after_it(runner: Runner) -> None:
    """The workflow of the examples: outputs, variables, calls, and the report with its files."""
    runner.step(named_step(ACTION, "Serve"), inputs_of(ACTION, options="--unmatched nothing_found"))
    outputs = {f"steps.mock.outputs.{name}": value for name, value in runner.variables("GITHUB_OUTPUT").items()}
    steps = parsed(ROOT / "examples" / "github-actions" / "with-action.yml")["jobs"]["tests"]["steps"]
    ran = [runner.step(step, outputs) for step in steps if "run" in step]

    assert {f"steps.mock.outputs.{name}" for name in parsed(ACTION)["outputs"]} == set(outputs)
    assert '"healthy"' in ran[0]
    assert '{"result":"9DJC652"}' in ran[1]
    url, ca = outputs["steps.mock.outputs.tls-url"], outputs["steps.mock.outputs.ca"]
    curl = ["curl", "-sS", "--fail", "--cacert", ca, f"{url}/healthz"]
    assert b"healthy" in subprocess.run(curl, capture_output=True, check=True).stdout
    assert httpx.get(f"{outputs['steps.mock.outputs.url']}/__admin/accounts", timeout=PATIENCE).status_code == 401

    runner.step(named_step(REPORT, "Get the report"), {})
    files = {path.name for path in (runner.temporary / "vehicle-ocr-mock-report").iterdir() if path.stat().st_size}
    assert files == REPORT_FILES


REPORT_FILES = {"journal.json", "report.html", "server.log"}


def test_the_action_says_why_the_server_does_not_start(runner: Runner) -> None:
    """The step fails with the server's own words."""
    with pytest.raises(AssertionError, match="/does/not/exist is not a directory"):
        runner.step(named_step(ACTION, "Serve"), inputs_of(ACTION, fixtures="/does/not/exist"))


def test_the_action_runs_a_command(runner: Runner) -> None:
    """The second job of the examples, by the real name; its exit code is that of the command."""
    (step,) = [
        step
        for step in parsed(ROOT / "examples" / "github-actions" / "with-action.yml")["jobs"]["real-names"]["steps"]
        if step.get("uses") == "./vehicle-ocr-mock"
    ]
    values = inputs_of(ACTION, **step["with"])

    assert '"9djc652"' in runner.step(named_step(ACTION, "Run the command"), values)
    assert (runner.temporary / "vehicle-ocr-mock-report" / "report.html").stat().st_size > 0
    with pytest.raises(AssertionError):
        runner.step(named_step(ACTION, "Run the command"), values | {"inputs.run": "exit 3"})


@pytest.mark.parametrize("job", ["tests", "real-names"])
def test_the_jobs_of_gitlab(runner: Runner, job: str) -> None:
    """The script of each job, on tests that call the mock or the real name."""
    (runner.here / "tests").mkdir()
    (runner.here / "tests" / "test_gate.py").write_text(TESTS)
    content = parsed(ROOT / "examples" / "gitlab-ci" / "gitlab-ci.yml")[job]
    # Another server may have the usual port on this machine.
    port = str(free_port())
    script = "\n".join(content["script"]).replace("serve >", f"serve --port {port} >")
    script = script.replace("healthcheck", f"healthcheck --port {port}")
    variables = {name: value.replace("8080", port) for name, value in content.get("variables", {}).items()}

    assert "1 passed" in runner.step({"run": script, "env": variables}, {})


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_workflow_has_limits_and_leads_somewhere(path: Path) -> None:
    """Least rights, a time limit for each job, versions of all actions; own actions and scripts exist."""
    workflow = parsed(path)
    assert workflow["permissions"] == {"contents": "read"}
    for job in workflow["jobs"].values():
        assert "timeout-minutes" in job or "uses" in job
        for step in job.get("steps", ()):
            uses = step.get("uses", "")
            own = uses.removeprefix("./").removeprefix("vehicle-ocr-mock").strip("/")
            assert "@" in uses or not uses or ":" in uses or (ROOT / own / "action.yml").exists(), uses
            for script in re.findall(r"(?:scripts|\.ci)/[\w-]+", step.get("run", "")):
                assert (ROOT / script).exists(), script


def test_the_versions_of_python() -> None:
    """CI runs each version that the package names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = [match[1] for line in project["classifiers"] if (match := re.search(r":: (3\.\d+)$", line))]
    jobs = parsed(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]

    assert jobs["linux"]["strategy"]["matrix"]["python"] == named
    assert {"macos-latest", "windows-latest"} == set(jobs["other-systems"]["strategy"]["matrix"]["system"])


def test_a_release_needs_the_tag_of_its_version(runner: Runner) -> None:
    """Another tag is refused before anything is built."""
    steps = parsed(ROOT / ".github" / "workflows" / "release.yml")["jobs"]["build"]["steps"]
    (check,) = [step["run"] for step in steps if "run" in step and "GITHUB_REF_NAME" in step["run"]]
    check = f"cd vehicle-ocr-mock\n{check.rpartition('grep')[0]}"

    runner.step({"run": check, "env": {"GITHUB_REF_NAME": f"v{mock_server.__version__}"}}, {})
    with pytest.raises(AssertionError):
        runner.step({"run": check, "env": {"GITHUB_REF_NAME": "v0.0.0"}}, {})


def test_the_manifest_of_kubernetes(tmp_path: Path) -> None:
    """The fixtures load from the directory that the mounts make; probes and rights are as the documents say."""
    manifest = ROOT / "examples" / "kubernetes" / "vehicle-ocr-mock.yaml"
    objects = list(yaml.safe_load_all(manifest.read_text(encoding="utf-8")))
    maps = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    pod = next(one for one in objects if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    volumes = {volume["name"]: volume.get("configMap", {}).get("name") for volume in pod["volumes"]}
    for mount in container["volumeMounts"]:
        place = tmp_path / mount["mountPath"].lstrip("/")
        for name, text in maps.get(volumes[mount["name"]], {}).items():
            file = place if "subPath" in mount else place / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    assert [scenario.name for scenario in load(tmp_path / "config").set.scenarios] == ["flaky"]
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    settings = {f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in setting_names()}
    assert {variable["name"] for variable in container["env"]} <= settings
    probes = {container[f"{kind}Probe"]["httpGet"]["path"] for kind in ("startup", "readiness", "liveness")}
    assert probes == {"/healthz"}
