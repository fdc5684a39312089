"""The verb `match`: which scenario a picture meets, how it was recognised, and what came nearest."""

from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.command import run
from tests.support import FIXTURES, drawn, encoded, picture

HERE = str(FIXTURES)


@pytest.mark.parametrize(
    ("name", "how"), [("car.jpg", "same bytes"), ("car.png", "same pixels"), ("car.webp", "looks the same: distance -")]
)
def test_a_known_picture(tmp_path: Path, name: str, how: str) -> None:
    """The scenario, its picture and the stage that found it; exit code 0."""
    file = tmp_path / name
    with Image.open(BytesIO(picture("car"))) as car:
        file.write_bytes(picture("car") if name.endswith("jpg") else encoded(car, file.suffix[1:]))
    ended = run("match", str(file), HERE)

    assert ended.returncode == 0, ended.stdout
    assert f"match car (images/car.jpg, {how}" in ended.stdout


def test_further_conditions_are_printed(tmp_path: Path) -> None:
    """The further conditions of a scenario are printed."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "car.jpg").write_bytes(picture("car"))
    (tmp_path / "scenarios" / "car.yaml").write_text(
        "scenario: car\nwhen: {image: ../car.jpg, provider: carsxe, product: plate, header: {X-Lane: n*}}\n"
    )
    ended = run("match", str(tmp_path / "car.jpg"), str(tmp_path))

    assert "; also requires provider carsxe, product plate, header x-lane n*\n" in ended.stdout


def test_an_unknown_picture(tmp_path: Path) -> None:
    """What came nearest, with its distance and the limit; exit code 1."""
    (tmp_path / "unknown.png").write_bytes(drawn())
    ended = run("match", str(tmp_path / "unknown.png"), HERE)

    assert ended.returncode == 1
    assert "no scenario knows this picture" in ended.stdout


def test_no_picture(tmp_path: Path) -> None:
    """A file that is not a picture is refused with a reason; a missing file is a usage error."""
    (tmp_path / "letter.txt").write_text("Dear all")
    ended = run("match", str(tmp_path / "letter.txt"), HERE)

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "is not a readable picture" in ended.stderr
    assert run("match", str(tmp_path / "nowhere.jpg"), HERE).returncode == 2


def test_the_explanation_is_a_picture(tmp_path: Path) -> None:
    """`--explain` writes a PNG that shows both pictures side by side."""
    (tmp_path / "unknown.png").write_bytes(drawn())
    ended = run("match", str(tmp_path / "unknown.png"), HERE, "--explain", str(tmp_path / "why.png"))

    assert "explained in" in ended.stdout
    with Image.open(tmp_path / "why.png") as why:
        assert why.format == "PNG"


_WHY = """
scenario: sedan
when: {image: ../car.jpg}
reading: {plate: 9DJC652}
---
scenario: outage
when: {filename: "down-*"}
then: service_error
---
scenario: vip
when: {image: ../car.jpg, key: one-credit, provider: carsxe}
reading: {plate: VIP 1}
---
scenario: lane
when: {image: ../car.jpg, header: {X-Lane: n*}, account: demo, product: vin}
reading: {vin: JHLRD77874C026456}
---
scenario: cdn
when: {image: ../car.jpg, url: "https://cdn.test/*"}
reading: {plate: CDN 1}
"""
_ERROR = "an error that is bound by file name, URL, header, key or account comes before a picture"
_BYTES = "car.jpg, same bytes"


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        pytest.param(
            ["--filename", "down-1.jpg"],
            [
                "match outage (filename)",
                *(f"lost  {name} ({_BYTES}): {_ERROR}" for name in ("lane", "vip", "sedan")),
                f"near  cdn ({_BYTES}): failed url",
            ],
            id="an error by file name before the picture",
        ),
        pytest.param(
            ["--key", "one-credit", "--provider", "carsxe", "--product", "plate", "--header", "x-lane: south"],
            [
                f"match vip ({_BYTES}, key, provider)",
                f"lost  cdn ({_BYTES}): it has fewer conditions",
                f"lost  sedan ({_BYTES}): it has fewer conditions",
                f"near  lane ({_BYTES}): failed account, product, header x-lane",
            ],
            id="all but the URL is known",
        ),
        pytest.param(
            ["--key", "demo-key", "--product=vin", "--header", "X-Lane=north=1"],
            [
                f"match lane ({_BYTES}, account, product, header x-lane)",
                f"lost  sedan ({_BYTES}): it has fewer conditions",
                f"near  vip ({_BYTES}): failed key",
                f"near  cdn ({_BYTES}): failed url",
            ],
            id="the account of the key",
        ),
        pytest.param(
            ["--url", "https://cdn.test/1.jpg", "--key", "slow-key"],
            [
                f"match cdn ({_BYTES}, url)",
                f"lost  sedan ({_BYTES}): it has fewer conditions",
                f"near  vip ({_BYTES}): failed key",
                f"near  lane ({_BYTES}): failed account",
            ],
            id="a URL instead of an upload",
        ),
        pytest.param(
            [],
            [
                f"match lane ({_BYTES}); also requires account demo, product vin, header x-lane n*",
                f"match vip ({_BYTES}); also requires key one-credit, provider carsxe",
                f"match sedan ({_BYTES})",
                f"near  cdn ({_BYTES}): failed url",
            ],
            id="what is not known is listed",
        ),
    ],
)
def test_why_not_another_scenario(tmp_path: Path, options: list[str], lines: list[str]) -> None:
    """The scenario that answers, the others that hold and why they lose, and those that nearly hold."""
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "car.jpg").write_bytes(picture("car"))
    (tmp_path / "scenarios" / "all.yaml").write_text(_WHY)
    ended = run("match", str(tmp_path / "car.jpg"), str(tmp_path), *options)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[1:] == lines


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--provider", "carsx"], '--provider is "carsx"; did you mean "carsxe"?'),
        (["--product", "passport"], '--product is "passport"; known: plate, vin'),
        (["--header", "X-Lane"], '--header is "X-Lane", not NAME=VALUE'),
    ],
)
def test_unusable_facts(options: list[str], message: str) -> None:
    """A usage error with a hint."""
    ended = run("match", str(FIXTURES / "images" / "car.jpg"), HERE, *options)

    assert (ended.returncode, message in ended.stderr) == (2, True)
