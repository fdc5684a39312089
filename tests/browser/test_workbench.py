"""From a photo to a scenario, and from a click to a failing call, in a real browser."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Download, Page, expect

from mock_server import MockServer
from mock_server.drawing.draw import draw
from mock_server.imaging.geometry import Box
from mock_server.redirect.environment import child_environment
from tests.support import PATIENCE, drawn, vehicore

from .conftest import keep_screenshot, page_of

DRIVER = Path(__file__).parent.parent / "clients" / "drivers" / "carsxe_pip.py"


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Box]:
    """A photo that no scenario describes, and where its plate is."""
    drawing = draw("scene", seed=11, text="B-MW 1847", region="de", body="suv")
    path = tmp_path_factory.mktemp("photos") / "My Photo (1).jpg"
    path.write_bytes(drawing.encoded())
    box = drawing.truth.plates[0].box
    assert box is not None
    return path, box


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def test_a_photo_becomes_a_served_scenario_without_yaml(
    page: Page, client: httpx.Client, photo: tuple[Path, Box]
) -> None:
    """Choose a photo, type its text, save: the text and a box around the plate are served."""
    path, truth = photo
    page.locator("#try-file").set_input_files(path)
    page.get_by_role("button", name="Make it a scenario").click()
    page.get_by_label("Text", exact=True).fill("B-MW 1847")
    expect(page.locator("input[name=box]")).not_to_have_value("")
    keep_screenshot(page, "make-a-scenario")
    page.get_by_role("button", name="Serve it now").click()
    expect(page.locator("#said")).to_contain_text("my-photo-1 is served now")
    reply = vehicore(client, image=path.read_bytes())
    reading = client.get("/__admin/scenarios/my-photo-1").json()["reading"]["plate"]
    box = Box(*reading["box"])

    assert reply.json() == {"result": "B-MW 1847"}
    assert box.xmin < (truth.xmin + truth.xmax) / 2 < box.xmax
    assert box.ymin < (truth.ymin + truth.ymax) / 2 < box.ymax


def test_a_failing_call_is_two_clicks_away(page: Page, server: MockServer, tmp_path: Path) -> None:
    """The tab, the button: the published client's next call fails, and the one after it succeeds."""
    tab(page, "Controls")
    page.get_by_role("button", name="Fail the next call").click()
    expect(page.locator("#in-force")).to_contain_text("the next call: service_error")
    questions = [{"key": "demo-key", "product": "plate", "url": f"{server.url}/images/car.jpg"}] * 2
    ended = subprocess.run(
        [sys.executable, DRIVER],
        input=json.dumps(questions),
        env=child_environment(server.route, tmp_path, os.environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    first, second = (answer["answer"] for answer in json.loads(ended.stdout))

    assert (first["success"], second["success"]) == (False, True)
    expect(page.locator("#in-force")).to_be_hidden()


def test_both_replies_and_the_reasons_stand_side_by_side(page: Page, client: httpx.Client) -> None:
    """A known picture: the providers' own replies, boxes on the picture, the scenario and how it was recognised."""
    page.get_by_label("or from the gallery").select_option("car.jpg")
    cards = page.locator(".reply")
    expect(cards).to_have_count(2)
    expect(page.locator(".why")).to_contain_text("the same bytes")
    shown = [json.loads(text) for text in cards.locator("pre").first.all_inner_texts()]
    keep_screenshot(page, "try")

    assert shown == [vehicore(client).json()]
    expect(cards.nth(1)).to_contain_text('"success": true')
    expect(page.locator(".stage rect.vehicle")).to_have_count(1)
    expect(page.locator(".stage rect.text")).not_to_have_count(0)
    expect(page.locator(".why")).to_contain_text("vehicore 1, carsxe 1")


def test_an_unknown_picture_shows_the_nearest_and_the_region_that_differs(page: Page, tmp_path: Path) -> None:
    """The plate of a known car is painted over: its scenario is the nearest, with boxes on both pictures."""
    from PIL import Image, ImageDraw

    from tests.support import picture

    path = tmp_path / "other.png"
    path.write_bytes(picture("car"))
    with Image.open(path) as image:
        changed = image.convert("RGB")
    ImageDraw.Draw(changed).text((436, 402), "ABX 17", fill="black", font_size=24)
    changed.save(path, "PNG")
    page.locator("#try-file").set_input_files(path)
    near = page.locator(".why article").first
    expect(near).to_contain_text("limit")
    expect(near.locator("rect.differs")).to_have_count(2)
    keep_screenshot(page, "nearest")


@pytest.mark.parametrize("language", ["curl", "Python", "Node"])
def test_a_call_is_copied_as_code(page: Page, language: str) -> None:
    """The code has the address, the key and the picture of the call."""
    page.get_by_label("or from the gallery").select_option("car.jpg")
    page.locator(".reply").nth(1).get_by_role("button", name=f"Copy as {language}").click()
    code = page.get_by_role("textbox", name=f"The call as {language}").input_value()

    assert all(part in code for part in ("/platerecognition", "demo-key", "/images/car.jpg"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_call_with_a_preference_and_a_language(browser: Browser, server: MockServer) -> None:
    """The calls have both, the reason says what forced the outcome, and the code has the same header."""
    with page_of(browser, expected=("429",)) as page:
        page.goto(f"{server.url}/__admin/")
        page.get_by_label("Header Prefer").fill("outcome=rate_limited")
        page.get_by_label("Language").fill("de-AT")
        page.get_by_label("Language").blur()
        page.get_by_label("or from the gallery").select_option("car.jpg")
        expect(page.locator(".reply .badge")).to_have_text(["429 Too Many Requests"] * 2)
        expect(page.locator(".why")).to_contain_text("prefer outcome=rate_limited")
        keep_screenshot(page, "try-prefer")
        page.locator(".reply").first.get_by_role("button", name="Copy as curl").click()
        code = page.get_by_role("textbox", name="The call as curl").input_value()
        exchange = server.requests(provider="vehicore")[-1]

    assert "-H 'Prefer: outcome=rate_limited'" in code
    assert "-F 'userLanguage=de-AT'" in code
    assert (exchange.language, exchange.forced) == ("de-AT", "prefer outcome=rate_limited")


def test_mistakes_show_while_one_types(page: Page, tmp_path: Path) -> None:
    """A wrong name is reported with its place, and nothing is saved; the file's text appears when all is right."""
    path = tmp_path / "some.png"
    path.write_bytes(drawn("ZQ 77"))
    page.locator("#try-file").set_input_files(path)
    page.get_by_role("button", name="Make it a scenario").click()
    form = page.locator(".scenario-form")
    form.get_by_label("Text", exact=True).fill("ZQ77")
    form.get_by_label("Name").fill("Not A Name")
    expect(form.locator(".mistakes")).to_contain_text("/scenario")
    page.get_by_role("button", name="Serve it now").click()
    expect(form).to_be_visible()
    form.get_by_label("Name").fill("good-name")
    expect(form.locator(".mistakes li")).to_have_count(0)
    form.get_by_text("The file", exact=True).click()
    expect(form.locator("details pre")).to_contain_text("scenario: good-name")


def test_the_box_is_drawn_with_the_mouse_and_moved_by_keys(page: Page, tmp_path: Path) -> None:
    """Dragging sets the corners; arrows move, Shift resizes, Delete removes."""
    path = tmp_path / "some.png"
    path.write_bytes(drawn("ZQ 77", size=(320, 240)))
    page.locator("#try-file").set_input_files(path)
    page.get_by_role("button", name="Make it a scenario").click()
    corners = page.locator("input[name=box]")
    pad = page.locator(".editor")
    area = pad.locator("img").bounding_box()
    assert area is not None
    x, y = area["x"], area["y"]
    factor = area["width"] / 320
    page.mouse.move(x + 20 * factor, y + 40 * factor)
    page.mouse.down()
    page.mouse.move(x + 120 * factor, y + 90 * factor, steps=3)
    page.mouse.up()
    drawn_box = [int(part) for part in corners.input_value().split(",")]
    pad.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Control+ArrowDown")
    moved = [int(part) for part in corners.input_value().split(",")]
    page.keyboard.press("Delete")

    assert all(abs(one - other) <= 2 for one, other in zip(drawn_box, (20, 40, 120, 90), strict=True))
    assert [new - old for new, old in zip(moved, drawn_box, strict=True)] == [1, 10, 1, 11]
    assert corners.input_value() == ""


def test_a_request_is_saved_into_the_fixtures(page: Page, client: httpx.Client, directory: Path) -> None:
    """From the journal into the files: a file and its picture, served at once, and deleted again."""
    upload = drawn("KX 901")
    vehicore(client, image=upload, filename="from phone.png")
    tab(page, "Requests")
    page.get_by_role("button", name="vehicore plate").first.click()
    page.get_by_role("button", name="Make it a scenario").click()
    page.get_by_label("Text", exact=True).fill("KX 901")
    page.get_by_role("button", name="Save to the fixtures").click()
    expect(page.locator("#said")).to_contain_text("from-phone is served now")

    assert "KX 901" in (directory / "scenarios" / "from-phone.yaml").read_text()
    assert (directory / "images" / "from-phone.png").read_bytes() == upload
    assert vehicore(client, image=upload).json() == {"result": "KX 901"}
    tab(page, "Scenarios")
    page.get_by_label("Find a scenario").fill("from-phone")
    expect(page.locator("#scenarios .card")).to_have_count(1)
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#scenarios .card")).to_have_count(0)
    assert not (directory / "scenarios" / "from-phone.yaml").exists()
    assert not (directory / "images" / "from-phone.png").exists()


def test_a_scenario_is_edited(page: Page, client: httpx.Client) -> None:
    """A scenario of a file gets another text and a second step; the runtime scenario hides it until it is deleted."""
    before = vehicore(client).json()
    tab(page, "Scenarios")
    name = client.get("/__admin/requests").json()["requests"][-1]["scenario"]
    page.get_by_label("Find a scenario").fill(name)
    heading = page.get_by_role("heading", name=name, exact=True)
    page.locator("#scenarios .card", has=heading).get_by_role("button", name="Edit").click()
    page.get_by_label("Text", exact=True).fill("CHANGED1")
    page.get_by_role("button", name="Serve it now").click()
    expect(page.locator("#said")).to_contain_text("is served now")

    assert vehicore(client).json() == {"result": "CHANGED1"}
    page.locator("#scenarios .card", has_text="runtime").get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#scenarios .card", has_text="runtime")).to_have_count(0)
    assert vehicore(client).json() == before


def test_a_scenario_is_downloaded(page: Page, tmp_path: Path) -> None:
    """The file and the picture arrive under the names that fit each other."""
    path = tmp_path / "some.png"
    path.write_bytes(drawn("ZQ 78"))
    page.locator("#try-file").set_input_files(path)
    page.get_by_role("button", name="Make it a scenario").click()
    page.get_by_label("Text", exact=True).fill("ZQ78")
    downloads: list[Download] = []
    page.on("download", lambda download: downloads.append(download))
    page.get_by_role("button", name="Download").click()
    page.wait_for_event("download", predicate=lambda _: len(downloads) == 2) if len(downloads) < 2 else None
    names = {download.suggested_filename: Path(download.path()) for download in downloads}

    assert set(names) == {"some.yaml", "some.png"}
    assert "image: some.png" in names["some.yaml"].read_text()
    assert names["some.png"].read_bytes() == path.read_bytes()


@pytest.mark.parametrize("gesture", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(page: Page, gesture: str) -> None:
    """A file of another program arrives as a chosen one does."""
    page.evaluate(
        """async ([gesture, url]) => {
            const bytes = await (await fetch(url)).blob();
            const moved = new DataTransfer();
            moved.items.add(new File([bytes], "moved.jpg", { type: "image/jpeg" }));
            const options = { bubbles: true, cancelable: true };
            const event = gesture === "drop"
                ? new DragEvent("drop", { ...options, dataTransfer: moved })
                : new ClipboardEvent("paste", { ...options, clipboardData: moved });
            document.querySelector(".drop").dispatchEvent(event);
        }""",
        [gesture, "../images/car.jpg"],
    )
    expect(page.locator(".reply .badge")).to_have_text(["200 OK", "200 OK"])
    expect(page.locator(".drop")).to_have_text("moved.jpg")


def test_an_image_url_is_sent_to_the_provider_that_takes_one(page: Page) -> None:
    """A provider that takes uploads only says so; the other one answers."""
    page.get_by_label("or an image URL").fill("https://pictures.example/car.jpg")
    page.keyboard.press("Enter")
    expect(page.locator(".reply .badge")).to_have_text(["no reply", "200 OK"])
    expect(page.locator(".reply").first).to_contain_text("uploads only")
    expect(page.locator(".why")).to_contain_text("made up")
