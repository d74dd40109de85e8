"""What the bulk page shows and does, pressed without a browser."""

import base64
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from loyalty_helpers import connect, runbooks
from loyalty_helpers.pages.bulk_model import Stage
from loyalty_helpers.pages.bulk_page import BulkPage
from loyalty_helpers.pages.bulk_parts import LARGEST_LINK, links

HEAD = "row_id,phone_number,points,reason\n"
ROW = "a,+14155551234,12,Late\n"
HTML = "<img src=x>"
WHEN = datetime(2026, 11, 28, tzinfo=UTC)
LINK = re.compile(r'download="results.csv" href="data:text/csv;base64,([^"]+)"')


@pytest.fixture
def page() -> Iterator[BulkPage]:
    with connect("local") as client:
        yield BulkPage(client)


def send(page: BulkPage, content: str, name: str = "late.csv") -> None:
    file = {"name": name, "size": len(content), "content": memoryview(content.encode())}
    page.upload.value = ({**file, "type": "text/csv", "last_modified": WHEN},)


def check(page: BulkPage, content: str = HEAD + ROW, run_id: str = "run") -> None:
    send(page, content)
    page.run_id.input.value = run_id
    page.check.press()


def until(page: BulkPage, text: str) -> None:
    """Wait until the thread has told this, and shown all that comes of it."""
    deadline = time.monotonic() + 30
    while not (text in page.result.value and page.check.enabled) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert text in page.result.value


def approve(page: BulkPage) -> None:
    page.typed.input.value = page.model.planned.plan.digest[:4]
    page.apply.press()


def seen(widget) -> bool:
    return widget.layout.display != "none"


def test_at_first_only_the_file_is_asked_for(page: BulkPage) -> None:
    later = (page.problem_section, page.plan_section, page.apply_section, page.work_section)

    assert [False] * 6 == [seen(s) for s in (*later, page.result_section, page.undo_section)]


def test_a_file_that_is_sent_takes_the_place_of_one_that_was_chosen(page: BulkPage) -> None:
    page.choice.value = "adjustments.csv"
    send(page, HEAD + ROW)

    assert ("", True) == (page.choice.value, "late.csv" in page.chosen.value)


def test_a_file_that_is_chosen_takes_the_place_of_one_that_was_sent(page: BulkPage) -> None:
    send(page, HEAD + ROW)
    page.choice.value = "adjustments.csv"

    assert ((), True) == (page.upload.value, "adjustments.csv" in page.chosen.value)


def test_a_run_id_that_is_none_is_told_at_its_field(page: BulkPage) -> None:
    check(page, run_id="No Run Id")

    assert "allowed: 1 to 64" in page.run_id.error
    assert page.model.stage is Stage.EMPTY


def test_a_limit_that_is_no_number_is_told_at_its_field(page: BulkPage) -> None:
    page.options["expected_points"].input.value = "many"
    check(page)

    assert page.options["expected_points"].error
    assert page.model.stage is Stage.EMPTY


def test_without_a_file_it_asks_for_one(page: BulkPage) -> None:
    page.run_id.input.value = "run"
    page.check.press()

    assert "no file is chosen" in page.check.trouble.value


def test_a_thousand_problems_are_shown_twenty_at_a_time(page: BulkPage) -> None:
    check(page, HEAD + "".join(f"r{n},+14155551234,1.5,Late\n" for n in range(1000)))
    first = page.problems.body.value
    page.problems.next.press()

    assert (21, 21) == (first.count("<tr>"), page.problems.body.value.count("<tr>"))
    assert ("r19<" in first, "r20<" in first) == (True, False)
    assert "r20<" in page.problems.body.value


def test_what_stands_in_a_file_is_never_read_as_html(page: BulkPage) -> None:
    send(page, HEAD + f"{HTML},+14155551234,1.5,Late\n", name=f"{HTML}.csv")
    page.run_id.input.value = "run"
    page.check.press()
    told = page.problems.body.value + page.chosen.value
    check(page, HEAD + f"a,+14155551234,12,{HTML}\n")

    assert (False, True) == (HTML in told + page.planned.value, "&lt;img" in page.planned.value)


def test_a_change_of_any_field_takes_the_plan_away(page: BulkPage) -> None:
    for field in (page.run_id, *page.options.values()):
        check(page)
        assert seen(page.plan_section)
        value = field.input.value
        field.input.value = not value if isinstance(value, bool) else f"{value}1"
        assert not seen(page.plan_section), field.name
        field.input.value = value


def test_what_was_typed_for_one_plan_is_gone_with_the_next(page: BulkPage) -> None:
    check(page)
    page.typed.input.value = "abcd"
    check(page, HEAD + ROW.replace("12", "13"))

    assert "" == page.typed.typed


def test_what_is_not_how_the_digest_begins_is_told_at_its_field(page: BulkPage) -> None:
    check(page)
    page.typed.input.value = "none"
    page.apply.press()

    assert "is not how the digest of this plan begins" in page.typed.error
    assert not (runbooks.folder_of("run") / runbooks.JOURNAL).exists()


def test_while_it_works_nothing_but_stop_can_be_pressed(
    page: BulkPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen_then: list[tuple[bool, ...]] = []

    def look(_) -> None:
        acts = (page.check, page.open, page.stop)
        seen_then.append((*(act.enabled for act in acts), page.run_id.input.disabled))

    monkeypatch.setattr(page, "told", look)
    check(page)
    approve(page)
    until(page, "The ledger agrees")

    assert (False, False, True, True) == seen_then[-1]


def test_the_result_can_be_taken_away(page: BulkPage) -> None:
    check(page)
    approve(page)
    until(page, "The ledger agrees with run run")

    assert b"APPLIED" in base64.b64decode(LINK.search(page.links.value)[1])


def test_the_undoing_is_a_plan_of_its_own_on_the_same_page(page: BulkPage) -> None:
    check(page)
    approve(page)
    until(page, "The ledger agrees with run run")
    page.undo.press()
    assert ("run-undo", True) == (page.run_id.typed, seen(page.asked))

    approve(page)

    until(page, "The ledger agrees with run run-undo")


def test_what_goes_wrong_in_the_thread_is_told(page: BulkPage, monkeypatch) -> None:
    check(page)

    def broken(told: Callable[..., None], **limits: object) -> None:
        page.model.stage = Stage.STOPPED
        raise RuntimeError("a fault")

    monkeypatch.setattr(page.model, "work", broken)
    approve(page)

    until(page, "This should not happen: RuntimeError: a fault")


def test_a_file_that_is_too_large_for_a_link_is_told_by_its_place(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    path.write_bytes(bytes(LARGEST_LINK + 1))

    assert f"results.csv is large, and lies in {tmp_path}" in links("", [path])


def test_every_row_of_a_plan_can_be_looked_at_before_it_is_approved(page: BulkPage) -> None:
    check(page)
    assert not seen(page.all_rows)

    check(page, HEAD + "".join(f"r{n},+14155551234,1,Row {n}\n" for n in range(45)), "many")
    page.rows.next.press()
    page.rows.next.press()

    assert (True, False) == (seen(page.all_rows), page.rows.next.enabled)
    assert "Row 44<" in page.rows.body.value
