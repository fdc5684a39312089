"""Every view of the dashboard: what it shows, what its buttons do, that the keyboard alone is enough."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from mock_server import MockServer
from tests.support import drawn, vehicore

from .conftest import keep_screenshot, page_of

HOSTILE = '<img src=x onerror="document.title=1">"\'`${7*7}</script><script>document.title=2</script>'


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def rows(page: Page) -> list[str]:
    return page.locator("#requests tbody tr").all_inner_texts()


def test_filters_match_parts_and_stand_in_the_address(page: Page, client: httpx.Client) -> None:
    """A part of a text is enough; the address brings the same list back; an honest empty state says why it is empty."""
    vehicore(client)
    vehicore(client, "vin")
    tab(page, "Requests")
    expect(page.locator("#requests tbody tr")).to_have_count(2)
    page.get_by_label("text that was read").fill("9djc")
    expect(page.locator("#requests tbody tr")).to_have_count(1)
    address = page.url
    page.get_by_label("text that was read").fill("nowhere")
    expect(page.locator("#requests .empty")).to_contain_text("No request matches these filters")
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator("#requests tbody tr")).to_have_count(1)

    assert "text=9djc" in address
    assert page.get_by_label("text that was read").input_value() == "9djc"
    page.get_by_role("button", name="Clear filters").first.click()
    expect(page.locator("#requests tbody tr")).to_have_count(2)


def test_an_empty_journal_says_so(page: Page) -> None:
    """Without requests and filters, the view leads to the first request."""
    tab(page, "Requests")
    expect(page.locator("#requests .empty")).to_contain_text("No requests yet")


def test_a_click_filters(page: Page, client: httpx.Client) -> None:
    """The outcome of a request, clicked, leaves the requests with this outcome."""
    vehicore(client)
    vehicore(client, filename="mock-service_error.jpg")
    tab(page, "Requests")
    page.get_by_role("button", name="500 service_error").click()
    expect(page.locator("#requests tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("outcome=service_error"))


def test_a_request_shows_its_headers_and_its_detail(page: Page, client: httpx.Client) -> None:
    """The details have the reason, the request's headers without secrets, and the reply."""
    vehicore(client, image=b"no picture", headers={"Authorization": "Bearer secret", "X-Trace": "abc"})
    tab(page, "Requests")
    page.get_by_role("button", name="vehicore plate").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Request headers").click()
    expect(dialog).to_contain_text("NotAnImageError")
    expect(dialog).to_contain_text("x-trace: abc")
    expect(dialog).not_to_contain_text("secret")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.get_by_role("button", name="vehicore plate")).to_be_focused()


def test_pages_lead_through_the_whole_journal(page: Page, client: httpx.Client) -> None:
    """Older, and back to the newest; a page that is not the newest stays as it is."""
    for number in range(130):
        client.post("/api/ocr/plate", headers={"X-API-Key": f"nobody-{number}"})
    tab(page, "Requests")
    expect(page.locator("#requests")).to_contain_text("130 requests, the latest 100 shown")
    page.get_by_role("button", name="Older").click()
    expect(page.locator("#requests tbody tr")).to_have_count(30)
    client.post("/api/ocr/plate")
    page.get_by_role("button", name="Newest").click()
    expect(page.locator("#requests")).to_contain_text("131 requests")


def test_a_refresh_fetches_only_what_is_new_and_keeps_the_focus(page: Page, client: httpx.Client) -> None:
    """Later refreshes ask for what comes after the newest request; the row with the focus stays the same element."""
    for _ in range(3):
        vehicore(client)
    tab(page, "Requests")
    button = page.locator("#requests tbody tr").nth(1).get_by_role("button").first
    button.focus()
    handle = page.evaluate_handle("document.activeElement")
    with page.expect_response(lambda reply: "/requests?" in reply.url and "after=" in reply.url) as refreshed:
        vehicore(client)
    expect(page.locator("#requests tbody tr")).to_have_count(4)

    assert len(refreshed.value.json()["requests"]) <= 1
    assert page.evaluate("element => element === document.activeElement && element.isConnected", handle)


def test_requests_are_deleted_after_a_question(page: Page, client: httpx.Client) -> None:
    """Close changes nothing; the button that agrees deletes the requests and their uploads."""
    vehicore(client)
    tab(page, "Requests")
    for answer, left in (("Close", 1), ("Delete", 0)):
        page.get_by_role("button", name="Delete requests…").click()
        page.get_by_role("dialog").get_by_role("button", name=answer, exact=True).click()
        expect(page.locator("#requests tbody tr")).to_have_count(left)

    assert client.get("/__admin/uploads").json() == {"requests": []}


def test_near_misses_show_what_is_near_and_no_other_rule(page: Page, client: httpx.Client) -> None:
    """A scenario that shares nothing with a request is not listed; the request becomes a scenario."""
    vehicore(client, image=drawn("QQ 11"), filename="qq.png")
    near = client.get("/__admin/requests/unmatched/near-misses").json()["nearMisses"][0]["scenarios"]
    shown = [one["scenario"] for one in near if one["distance"] is not None or one["held"]]
    tab(page, "Near misses")
    card = page.locator("#misses .card")
    expect(card).to_have_count(1)
    expect(card.locator("ol li")).to_have_count(len(shown))
    card.get_by_role("button", name="Make it a scenario").click()
    page.get_by_label("Text", exact=True).fill("QQ11")
    page.get_by_role("button", name="Serve it now").click()
    expect(page.locator("#said")).to_contain_text("qq is served now")


def test_an_account_is_changed(page: Page, client: httpx.Client) -> None:
    """Credits, quota and status are set to numbers, and the API says the same."""
    key = client.post("/__admin/accounts", json={"name": "Ann", "credits": {"plate": 3, "vin": 3}}).json()["key"]
    tab(page, "Accounts")
    page.get_by_label("Find an account").fill("Ann")
    expect(page.locator("#accounts .card")).to_have_count(1)
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Credits, plate").fill("41")
    dialog.get_by_label("Quota, vin: limit").fill("9")
    dialog.get_by_label("Status").select_option("blocked")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#accounts .card")).to_contain_text("plate 41, vin 3")
    account = client.get(f"/__admin/accounts/{key}").json()

    assert (account["credits"]["plate"], account["quota"]["vin"]["limit"], account["status"]) == (41, 9, "blocked")
    page.get_by_role("button", name="Activate").click()
    expect(page.locator("#accounts .card .badge")).to_have_text("active")
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#accounts .card")).to_have_count(0)


def test_controls_decide_about_the_next_calls(page: Page, client: httpx.Client) -> None:
    """Next calls of one account, an outage, a share of the calls: each in force, in the bar, and ended."""
    tab(page, "Controls")
    panel = page.get_by_role("form", name="Next calls")
    page.locator("#controls select[name=key]").select_option(label="demo")
    panel.get_by_label("Answer").select_option("reply")
    panel.get_by_label("Status").fill("503")
    panel.get_by_label("How many calls").fill("2")
    panel.get_by_role("button", name="Apply").click()
    expect(page.locator("#in-force")).to_contain_text("the next 2 calls of demo: a written reply 503")

    assert [vehicore(client).status_code for _ in range(3)] == [503, 503, 200]
    page.get_by_role("switch", name="Outage").click()
    expect(page.get_by_role("switch", name="Outage")).to_have_attribute("aria-checked", "true")
    assert vehicore(client).status_code >= 500
    page.get_by_role("switch", name="Outage").click()
    expect(page.locator("#in-force")).to_be_hidden()
    slider = page.get_by_role("slider")
    slider.fill("100")
    page.get_by_role("form", name="Chance").get_by_role("button", name="Apply").click()
    expect(page.locator("#in-force")).to_contain_text("with a chance of 100%")
    assert vehicore(client).status_code == 500
    tab(page, "Accounts")
    page.get_by_role("button", name="End all of it").click()
    expect(page.locator("#in-force")).to_be_hidden()
    assert vehicore(client).status_code == 200


def test_the_clock_stands_still_and_moves(page: Page, client: httpx.Client) -> None:
    """Freeze, advance and release; the bar says that the clock is not the system's."""
    tab(page, "Controls")
    panel = page.get_by_role("form", name="Clock")
    panel.get_by_label("Stand still at (UTC)").fill("2030-01-02T03:04:05")
    panel.get_by_role("button", name="Freeze").click()
    expect(page.locator("#clock")).to_have_text("2030-01-02 03:04:05 UTC")
    panel.get_by_label("Move on by").fill("31d")
    panel.get_by_role("button", name="Advance").click()
    expect(page.locator("#in-force")).to_contain_text("the clock stands still at 2030-02-02 03:04:05")
    panel.get_by_role("button", name="Release").click()
    expect(page.locator("#in-force")).to_be_hidden()

    assert client.get("/__admin/clock").json()["frozen"] is False


def test_broken_fixtures_and_chaos_stand_in_a_bar(page: Page, client: httpx.Client, directory: Path) -> None:
    """A broken file is named until it is mended; chaos of mock.yaml is ended by the button until the next reset."""
    broken = directory / "scenarios" / "broken.yaml"
    mock_file = directory / "mock.yaml"
    before = mock_file.read_text()
    try:
        broken.write_text("scenario: Broken Name\n")
        expect(page.locator("#broken")).to_contain_text("broken.yaml")
        broken.unlink()
        page.get_by_role("button", name="Read them again").click()
        expect(page.locator("#broken")).to_be_hidden()
        mock_file.write_text(before + "\nchaos: {service_error: 100%}\n")
        expect(page.locator("#in-force")).to_contain_text("chaos of mock.yaml: service_error 100%")
        assert vehicore(client).status_code == 500
        page.get_by_role("button", name="End all of it").click()
        expect(page.locator("#in-force")).to_be_hidden()
        assert vehicore(client).status_code == 200
    finally:
        broken.unlink(missing_ok=True)
        mock_file.write_text(before)
        client.post("/__admin/reload")


def test_texts_of_clients_are_shown_as_text(page: Page, client: httpx.Client) -> None:
    """Markup in every field that a client or a fixture can fill is shown as it stands, and runs nothing."""
    key = client.post("/__admin/accounts", json={"name": HOSTILE, "tier": HOSTILE}).json()["key"]
    document = {
        "scenario": "hostile",
        "description": HOSTILE,
        "when": {"filename": "*hostile*", "header": {"X-H": "*"}},
        "reading": {"plate": HOSTILE[:40]},
        "then": [{"outcome": "service_error", "message": HOSTILE}],
    }
    assert client.post("/__admin/scenarios", json=document).status_code == 201
    headers = {"User-Agent": HOSTILE, "X-H": HOSTILE}
    vehicore(client, key=key, image=drawn("H 1"), filename=f"hostile{HOSTILE}.png", headers=headers)
    client.post(f"/nowhere/{HOSTILE}")
    client.put("/__admin/overrides", json={"key": key, "outcome": "service_error", "message": HOSTILE})
    for name in ("Requests", "Near misses", "Accounts", "Scenarios", "Controls", "Try"):
        tab(page, name)
        expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")
    tab(page, "Requests")
    page.get_by_role("button", name="vehicore plate").click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE[:20])
    page.get_by_role("button", name="Make it a scenario").click()
    expect(page.locator(".scenario-form")).to_be_visible()

    assert page.title().endswith("vehicle-ocr-mock")
    assert page.locator("img[src=x]").count() == 0


def test_the_keyboard_alone_is_enough(page: Page, client: httpx.Client) -> None:
    """Tabs by arrows, Home and End; a request opened by Enter and closed by Escape; a control pressed by Space."""
    vehicore(client)
    page.get_by_role("tab", name="Try", exact=True).focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Controls")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Requests")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#requests tbody tr")).to_have_count(1)
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('tbody') !== null"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("tab", name="Requests").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="Fail the next call").focus()
    page.keyboard.press("Space")
    expect(page.locator("#in-force")).to_contain_text("service_error")
    page.get_by_role("tab", name="Controls").focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("tab", name="Try", exact=True)).to_be_focused()


def test_everything_is_reset_after_a_question(page: Page, client: httpx.Client) -> None:
    """The button asks, and then the mock is back at its files."""
    client.put("/__admin/overrides", json={"outcome": "service_error", "times": "always"})
    expect(page.locator("#in-force")).to_be_visible()
    page.get_by_role("button", name="Reset…").click()
    page.get_by_role("button", name="Reset everything").click()
    expect(page.locator("#in-force")).to_be_hidden()

    assert client.get("/__admin/overrides").json() == {"overrides": []}


def test_metrics_and_export_reach_the_user(page: Page) -> None:
    """Links cannot send a token, so both are fetched by the page."""
    page.get_by_role("link", name="Metrics").click()
    expect(page.get_by_role("dialog")).to_contain_text("vehicle_ocr_mock_requests_total")
    page.keyboard.press("Escape")
    tab(page, "Scenarios")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export all").click()

    assert saved.value.suggested_filename == "fixtures.zip"


def test_the_report_has_a_tab(page: Page, client: httpx.Client) -> None:
    """The report is shown as its page; it can be downloaded in every format, and it begins anew after a question."""
    vehicore(client)
    tab(page, "Report")
    frame = page.frame_locator("iframe.report")
    expect(frame.locator("body")).to_contain_text("VehiCore")
    keep_screenshot(page, "report")
    for format, name in {
        "html": "report.html",
        "json": "report.json",
        "markdown": "report.md",
        "junit": "report.xml",
    }.items():
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Download {format}").click()
        assert saved.value.suggested_filename == name
    page.get_by_role("button", name="Begin anew…").click()
    with page.expect_response(lambda reply: reply.request.method == "DELETE") as deleted:
        page.get_by_role("button", name="Begin anew", exact=True).click()

    assert deleted.value.ok


def test_the_page_of_the_api_opens_calls(page: Page, server: MockServer) -> None:
    """The document is shown as a page, and a call opens with its parameters."""
    page.goto(f"{server.url}/__admin/docs")
    page.get_by_label("Find a call").fill("box")
    page.locator("details.call:visible", has_text="/__admin/box").locator("summary").first.click()
    expect(page.locator("details.call[open]").first).to_contain_text("image")


def test_the_root_leads_to_the_dashboard(page: Page, server: MockServer) -> None:
    """The bare address of the server is enough."""
    page.goto(server.url)

    assert page.url.startswith(f"{server.url}/__admin/")


def test_a_text_longer_than_the_window_does_not_widen_it(
    browser: Browser, server: MockServer, client: httpx.Client
) -> None:
    """With long names and 390 pixels, the page scrolls down only."""
    client.post("/__admin/accounts", json={"name": "n" * 300})
    client.post(
        "/__admin/scenarios", json={"scenario": "s" * 120, "description": "d" * 900, "when": {"key": "demo-key"}}
    )
    vehicore(client, image=drawn("L 1"), filename="f" * 400 + ".png")
    with page_of(browser, viewport={"width": 390, "height": 800}) as page:
        for name in ("try", "controls", "requests", "misses", "accounts", "scenarios"):
            page.goto(f"{server.url}/__admin/#{name}")
            expect(page.locator(f"#{name}")).to_be_visible()
            expect(page.locator("#health")).to_contain_text("scenarios")

            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.parametrize("prefix", ["", "/mock"])
def test_links_work_below_a_prefix(browser: Browser, prefix: str) -> None:
    """Behind `--root-path`, the page, its files and the providers' calls have the prefix."""
    with MockServer(root_path=prefix) as server, page_of(browser) as page:
        page.goto(f"{server.url}{prefix}/__admin/")
        page.get_by_label("or from the gallery").select_option("california-sedan.jpg")
        expect(page.locator(".reply .badge")).to_have_text(["200 OK", "200 OK"])


def test_a_picture_chosen_before_the_accounts_are_there_is_sent_with_a_key(browser: Browser) -> None:
    """The page waits for the accounts, so that the replies are no refusals."""
    with MockServer() as server, page_of(browser) as page:
        page.route("**/__admin/accounts", lambda route: None)  # holds the request
        with page.expect_request("**/__admin/accounts"):
            page.goto(f"{server.url}/__admin/")
        page.get_by_label("or from the gallery").select_option("california-sedan.jpg")
        page.unroute("**/__admin/accounts")  # lets it go on
        expect(page.locator(".reply .badge")).to_have_text(["200 OK", "200 OK"])
