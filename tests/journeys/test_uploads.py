"""Uploads as people meet them: interrupted, reloaded, paused, canceled, refused, many at once, and sent before."""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect
from sqlalchemy import text

from marketplace.db.unit_of_work import unit_of_work
from marketplace.designs import operations
from marketplace.kernel.actor import Actor
from tests.journeys.live import Live
from tests.journeys.navigators import DesignerDesk
from tests.journeys.window import DESK, PHONE, WORK, Who, Window
from tests.kit.files import band_stl
from tests.kit.people import PASSWORD, Make

PARTS = re.compile(r"/uploads/[0-9a-f]{32}\?.*partNumber=")


@dataclass
class Studio:
    """A designer at the page of a new design, and what the page sent to the object store."""

    window: Window
    live: Live
    actor: Actor
    design: str = ""
    puts: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        """The page in front."""
        return self.window.page

    def new_design(self, title: str) -> None:
        """Open the page of another, empty design."""
        with unit_of_work(self.live.background.engine, self.actor) as session:
            self.design = operations.create_design(session, self.actor, title=title, category="ring").id
        self.window.open(f"/designs/{self.design}")

    def choose(self, kind: str, *paths: Path) -> None:
        """Choose files in a zone."""
        self.page.locator(f"#{kind}-input").set_input_files([str(path) for path in paths])

    def forget_files(self) -> None:
        """As if the browser had been closed: nothing holds the chosen files any more."""
        self.page.evaluate(
            "navigator.serviceWorker.getRegistrations().then((all) => Promise.all(all.map((one) => one.unregister())))"
        )

    def until(self, true: Callable[[], bool]) -> None:
        """Wait, while the page goes on, until something is so."""
        for _ in range(WORK // 100):
            if true():
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("it did not come to be")

    def row(self, name: str) -> Locator:
        """The row of a file."""
        return self.page.locator(".upload-row", has_text=name)

    def is_read(self, name: str) -> None:
        """The file has been sent, checked and measured."""
        query = "select count(*) from assets where design_id = :design and filename = :name and state = 'ready'"
        self.until(lambda: self.count(query, name=name) == 1)

    def count(self, query: str, **values: Any) -> int:
        """A number about the design."""
        return self.live.count(query, design=self.design, **values)


@pytest.fixture
def studio(live: Live, browser: Browser) -> Iterator[Studio]:
    """A designer whose window must stay free of troubles."""
    live.forget_limits()
    make = Make(cast(Any, None), live.background)
    org = make.org("designer")
    user = make.user(org, name="Iris Valmont")
    who = Who("designer", user.name, user.email, org.name, "GB", "en", DESK, PASSWORD)
    window = Window(browser, live, who)
    DesignerDesk(window).sign_in()
    actor = Actor(kind="person", user_id=user.id, org_id=org.id, role="designer")
    found = Studio(window, live, actor)
    window.page.on("request", lambda request: found.puts.append(request.url) if request.method == "PUT" else None)
    window.page.on("dialog", lambda dialog: dialog.accept())
    found.new_design("Plain band")
    yield found
    window.close()


def ascii_stl(path: Path, size: int) -> Path:
    """A valid ring as an ASCII STL, made as long as asked for by blanks between its facets, which are all different."""
    binary = np.frombuffer(band_stl().data[84:], dtype=np.dtype([("n", "<3f4"), ("v", "<9f4"), ("a", "<u2")]))
    corner = "   vertex {:.6e} {:.6e} {:.6e}\n"
    facets = []
    for values in binary["v"]:
        v = [corner.format(*values[i : i + 3]) for i in (0, 3, 6)]
        facets.append(f"facet normal 0 0 0\n outer loop\n{''.join(v)} endloop\nendfacet\n")
    text_size = sum(map(len, facets)) + 30
    pad = " " * ((size - text_size) // len(facets)) + "\n"
    path.write_text("solid ring\n" + "".join(facet + pad for facet in facets) + "endsolid ring\n")
    return path


def sha256(path: Path) -> str:
    """Of a file on disk."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def number_of(url: str) -> int:
    """Which part an address is for."""
    found = re.search(r"partNumber=(\d+)", url)
    assert found
    return int(found.group(1))


def test_a_dropped_connection_and_a_reload_cost_no_part_that_had_arrived(studio: Studio, tmp_path: Path) -> None:
    """The connection breaks in the middle, the page is opened anew, the file chosen again: it goes on, once, whole."""
    file = ascii_stl(tmp_path / "long.stl", 38_000_000)  # five parts of 8 MB
    studio.page.route(PARTS, lambda route: route.abort() if number_of(route.request.url) > 3 else route.continue_())
    studio.choose("cad", file)
    expect(studio.row("long.stl")).to_contain_text("Connection lost", timeout=WORK)
    first = [number_of(url) for url in studio.puts]
    assert first[:4] == [1, 2, 3, 4]
    studio.forget_files()
    studio.page.reload()
    studio.page.unroute_all(behavior="wait")  # not before: the page that is left would send part 4 in its last moment
    percent = 3 * 8_000_000 * 100 // file.stat().st_size
    expect(studio.row("long.stl")).to_contain_text(f"Stopped at {percent} %. Choose the file again")
    assert studio.count("select count(*) from assets where design_id = :design and state = 'awaiting_upload'") == 1
    studio.puts.clear()
    studio.choose("cad", file)
    studio.is_read("long.stl")
    assert [number_of(url) for url in studio.puts] == [4, 5]
    expect(studio.page.locator(".upload-row")).to_have_count(1)
    assert studio.live.text("select sha256 from assets where design_id = :d", d=studio.design) == sha256(file)
    assert studio.count("select count(*) from facts where design_id = :design and name = 'volume'") == 1
    studio.window.troubles = [t for t in studio.window.troubles if "ERR_FAILED" not in t]
    studio.window.is_clean()


def test_a_reload_goes_on_by_itself_where_it_stopped(studio: Studio, tmp_path: Path) -> None:
    file = ascii_stl(tmp_path / "steady.stl", 20_000_000)
    studio.page.route(PARTS, lambda route: route.abort() if number_of(route.request.url) > 1 else route.continue_())
    studio.choose("cad", file)
    expect(studio.row("steady.stl")).to_contain_text("Connection lost", timeout=WORK)
    studio.page.unroute_all(behavior="wait")
    studio.puts.clear()
    studio.page.reload()
    studio.is_read("steady.stl")
    # The page that is left may have sent part 2 in its last moment; part 1 is never sent again.
    sent = {number_of(url) for url in studio.puts}
    assert 3 in sent
    assert 1 not in sent
    expect(studio.page.locator(".upload-row")).to_have_count(1)


def test_three_files_are_sent_at_a_time_and_the_rest_wait(studio: Studio, tmp_path: Path) -> None:
    files = []
    for number in range(5):
        path = tmp_path / f"ring-{number}.stl"
        path.write_bytes(band_stl(inner_mm=16 + number / 2).data)
        files.append(path)
    held: list[Route] = []
    open_again = False

    def hold(route: Route) -> None:
        if open_again:
            route.continue_()
        else:
            held.append(route)

    studio.page.route(PARTS, hold)
    studio.choose("cad", *files)
    for name in ("ring-3.stl", "ring-4.stl"):
        expect(studio.row(name)).to_contain_text("Waiting")
    studio.until(lambda: len(held) == 3)
    studio.page.wait_for_timeout(500)
    assert len(held) == 3
    open_again = True
    for route in held:
        route.continue_()
    for path in files:
        studio.is_read(path.name)
    studio.window.is_clean()


def test_bytes_that_are_here_are_offered_instead_of_sent(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "band.stl"
    file.write_bytes(band_stl().data)
    studio.choose("cad", file)
    studio.is_read("band.stl")
    with studio.window.expecting(409):
        studio.page.reload()
        studio.choose("cad", file)  # in the same design: said, not sent
        expect(studio.page.get_by_role("alert")).to_contain_text("band.stl is already here.")
    studio.new_design("Second band")
    studio.puts.clear()
    studio.choose("cad", file)
    expect(studio.row("band.stl")).to_contain_text("The same file is already here: band.stl, in Plain band.")
    studio.row("band.stl").get_by_role("button", name="Use it here too").click()
    studio.is_read("band.stl")
    assert studio.puts == []
    studio.window.is_clean()


def test_pausing_keeps_what_was_sent_and_canceling_leaves_nothing(studio: Studio, tmp_path: Path) -> None:
    file = ascii_stl(tmp_path / "slow.stl", 20_000_000)
    held: list[Route] = []

    def second_waits(route: Route) -> None:
        if number_of(route.request.url) == 2 and not held:
            held.append(route)
        else:
            route.continue_()

    studio.page.route(PARTS, second_waits)
    studio.choose("cad", file)
    row = studio.row("slow.stl")
    studio.until(lambda: bool(held))
    row.get_by_role("button", name="Pause slow.stl").click()
    expect(row).to_contain_text(f"Paused at {8_000_000 * 100 // file.stat().st_size} %")
    studio.puts.clear()
    row.get_by_role("button", name="Go on").click()
    studio.is_read("slow.stl")
    assert [number_of(url) for url in studio.puts] == [2, 3]

    again = ascii_stl(tmp_path / "other.stl", 19_000_000)
    held.clear()
    studio.choose("cad", again)
    row = studio.row("other.stl")
    studio.until(lambda: bool(held))
    with studio.page.expect_response(re.compile(r"/assets/\w+/remove")) as removed:
        row.get_by_role("button", name="Cancel other.stl").click()
    assert removed.value.status == 204
    expect(row).to_have_count(0)
    query = "select count(*) from assets where design_id = :design and removed_at is null and filename = 'other.stl'"
    assert studio.count(query) == 0
    studio.page.reload()
    expect(studio.row("other.stl")).to_have_count(0)
    key = str(re.findall(r"uploads/[0-9a-f]{32}", held[0].request.url)[0])
    pending = "select count(*) from discarded_objects where key = :key"
    studio.until(lambda: studio.count(pending, key=key) == 0)  # a job of its own clears the store
    assert studio.live.background.storage.drop_parts(key) == 0
    assert studio.count("select count(*) from assets where design_id = :design") == 2


def test_a_file_over_the_limit_is_refused_before_a_byte_is_sent(studio: Studio, tmp_path: Path) -> None:
    big, wrong = tmp_path / "huge.jpg", tmp_path / "notes.txt"
    with big.open("wb") as stream:
        stream.truncate(60_100_000)
    wrong.write_text("not a photo")
    sent: list[str] = []
    studio.page.on("request", lambda request: sent.append(request.url) if request.method in {"POST", "PUT"} else None)
    expect(studio.page.locator("#photo-limits")).to_contain_text("up to 60 MB")
    expect(studio.page.locator("#cad-limits")).to_contain_text("up to 250 MB")
    studio.choose("photo", big, wrong)
    expect(studio.row("huge.jpg").get_by_role("alert")).to_have_text("huge.jpg is 60.1 MB; the most is 60 MB.")
    expect(studio.row("notes.txt").get_by_role("alert")).to_contain_text("Choose a file of one of these kinds: JPG")
    assert sent == []
    assert studio.count("select count(*) from assets where design_id = :design") == 0


def test_on_a_phone_photos_are_chosen_with_a_thumb(studio: Studio) -> None:
    studio.page.set_viewport_size(PHONE)
    studio.page.reload()
    field = studio.page.locator("#photo-input")
    assert (field.get_attribute("accept") or "").startswith("image/*,")
    assert field.get_attribute("multiple") is not None
    box = field.bounding_box()
    assert box
    assert box["height"] >= 44
    assert box["width"] >= 200
    assert studio.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_without_a_script_a_small_file_goes_through_a_plain_form(
    studio: Studio, browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "plain.stl"
    file.write_bytes(band_stl(inner_mm=19).data)
    state = studio.window.context.storage_state()
    context = browser.new_context(
        base_url=studio.live.base_url, java_script_enabled=False, storage_state=state, viewport=PHONE
    )
    page = context.new_page()
    page.goto(f"/designs/{studio.design}")
    zone = page.locator("form", has=page.locator("#cad-input"))
    expect(zone).to_contain_text("Without JavaScript: up to 10 MB in one go.")
    zone.locator("input[type=file]").set_input_files(str(file))
    zone.get_by_role("button", name="Upload").click()
    expect(page.get_by_text("Sent. The files are being checked.")).to_be_visible()
    context.close()
    studio.page.reload()
    studio.is_read("plain.stl")
    with studio.live.owner.connect() as connection:
        kept = connection.scalar(text("select sha256 from assets where design_id = :d"), {"d": studio.design})
    assert kept == sha256(file)
