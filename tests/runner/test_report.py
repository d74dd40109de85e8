"""A report begins with the answer, and folds away how it was done."""

import hashlib
import re
from html import unescape
from pathlib import Path

import pytest

from loyalty_helpers.redaction import mask_text
from tests.commands import Left, loyalty, run

pytestmark = pytest.mark.slow

APPLIED = ("run bulk_adjust", "run bulk_adjust -p approved_plan DIGEST -p approved_by Ann")


def report(run_id: str, notebook: str) -> str:
    return Path("runs", run_id, f"{notebook}.html").read_text(encoding="utf-8")


def answer(html: str) -> str:
    """What stands above the fold, as a reader sees it."""
    above = html.partition('<section class="answer">')[2].partition("<details>")[0]
    return unescape(re.sub(r"(\s*<[^>]+>\s*)+", "\n", above))


@pytest.fixture
def walkthrough(left_by: Left) -> str:
    left_by("run 02_adjust_points")
    return report("walkthrough-2", "02_adjust_points")


@pytest.fixture
def bulk(left_by: Left) -> str:
    left_by(*APPLIED)
    return report("example-bulk", "bulk_adjust")


def test_an_adjustment_is_answered_by_result_who_what_proof_and_what_next(walkthrough) -> None:
    words = [line for line in answer(walkthrough).splitlines() if line]
    found = dict(zip(words[1::2], words[2::2], strict=False))

    assert "Done, and verified" == words[0]
    assert "account 1beb38f9-54de-4cb6-8121-718bDexample, phone number ***1234" == found["Who"]
    assert "+12 points" == found["What"]
    assert found["Proof"].startswith("balance 0 -> 12, event ")
    assert "local" == found["Environment"]
    assert ["What to do next", "Nothing more to do."] == words[-2:]


def test_a_run_id_that_was_applied_before_is_said_to_have_added_nothing(left_by: Left) -> None:
    left_by("run 02_adjust_points", "run 02_adjust_points")

    told = answer(report("walkthrough-2", "02_adjust_points"))
    assert "+12 points (applied before: nothing was added now)" in told


def test_code_and_prose_are_folded_below_the_answer(walkthrough: str) -> None:
    head, _, below = walkthrough.partition("<details>")
    above = head.partition('<section class="answer">')[2]

    assert (False, True) == ("jp-Cell" in above, "jp-CodeCell" in below)
    assert 1 == walkthrough.count("</details>")
    assert "<details open" not in walkthrough


def test_a_chart_says_in_words_what_it_shows(left_by: Left) -> None:
    left_by("run 04_balance_events")
    [path] = Path("runs").glob("04_balance_events-*/*.html")

    [told] = re.findall(r'<img [^>]*alt="([^"]*)"\s+src="data:image/svg', path.read_text())
    assert "Balance of account 0fe54250-faad-4d67-803b-8b390f49cebd: 49 events" in told
    assert "to 322 points after 2026-09-01 20:14:22 UTC: 21 ACCUMULATE_POINTS" in told


def test_what_is_folded_is_left_out_in_print(walkthrough: str) -> None:
    assert "details:not([open]) { display: none; }" in walkthrough.partition("@media print")[2]


def test_a_runbook_shows_its_rows_who_approved_them_and_how_to_undo_them(bulk: str) -> None:
    told = answer(bulk)

    assert "+122 -4 points; rows: 6 APPLIED" in told
    assert "Approved by\nAnn" in told
    assert "loyalty run undo_adjustments -p environment local -p undo example-bulk" in told
    assert 6 == told.split("Rows of run example-bulk")[1].count("APPLIED")


def test_a_plan_is_answered_by_how_to_apply_it(left_by: Left) -> None:
    planned = left_by("run bulk_adjust")
    told = answer(report("example-bulk", "bulk_adjust"))

    assert told.startswith("\nPlanned: nothing was changed yet\n")
    assert re.search(r"to apply: (.*)", planned.stdout)[1] in told


def test_a_run_that_failed_says_why_without_a_name_of_python() -> None:
    run("02_adjust_points", "phone_number", "+14155559999", "run_id", "nobody")
    told = answer(report("nobody", "02_adjust_points"))

    assert told.startswith("\nFailed\nno loyalty account has this phone number.")
    assert "Asked for\n+12 points\nProof\nnone\n" in told
    assert "Error" not in told


def test_a_run_that_only_reads_says_that_nothing_was_changed() -> None:
    loyalty("run", "reconcile")

    told = answer(report("example-reconcile", "reconcile"))
    assert told.startswith("\nRead, and verified: nothing was changed\n")
    assert "45 accounts" in told


def test_html_in_a_reason_is_text_in_the_answer() -> None:
    run("02_adjust_points", "reason", "<b onclick=alert(1)>Late</b>", "run_id", "html")
    html = report("html", "02_adjust_points")

    assert "<td>&lt;b onclick=alert(1)&gt;Late&lt;/b&gt;</td>" in html


def test_the_answer_holds_no_phone_number(walkthrough: str, bulk: str) -> None:
    assert [answer(walkthrough), answer(bulk)] == [
        mask_text(answer(walkthrough)),
        mask_text(answer(bulk)),
    ]


def digest_of(name: str, place: str) -> str:
    run(name, "environment", "recorded", LOYALTY_RUNS=place)
    [path] = Path(place).rglob("*.html")
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["02_adjust_points", "bulk_adjust"])
def test_what_is_played_back_has_the_same_report_each_time(name: str) -> None:
    assert digest_of(name, "first") == digest_of(name, "second")
