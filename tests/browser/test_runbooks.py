"""A runbook by hand: a real JupyterLab, a real browser, the emulator behind."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from loyalty_helpers.api.client import LoyaltyClient

from .conftest import OpenNotebook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("runbooks")]

# What a person does who has looked at the plan: the digest goes back, and the cell is run again.
APPLY = "runbooks.Run(client, run_id, approved_plan=plan.plan.digest).apply()"


@pytest.fixture(scope="module")
def bulk(open_notebook: Callable[..., OpenNotebook]) -> OpenNotebook:
    """bulk_adjust, run from top to bottom, and approved at its end."""
    notebook = open_notebook("runbooks/bulk_adjust", more=APPLY)
    notebook.run_all()
    return notebook


def test_the_plan_and_its_digest_are_shown(bulk: OpenNotebook) -> None:
    expect(bulk.output("plan = run.plan_file")).to_contain_text("Plan of 6 rows")
    expect(bulk.output("plan = run.plan_file")).to_contain_text("digest")


def test_without_approval_nothing_is_applied(bulk: OpenNotebook) -> None:
    expect(bulk.output("done = run.apply")).to_contain_text("the plan is not approved")


def test_the_chart_of_the_plan_is_drawn(bulk: OpenNotebook) -> None:
    expect(bulk.output("plan.chart").locator("canvas, svg").first).to_be_visible()


def test_an_approved_plan_is_applied_with_a_bar(bulk: OpenNotebook, client: LoyaltyClient) -> None:
    cell = bulk.output(APPLY)

    expect(cell.first).to_contain_text("100%|████")
    expect(cell.first).to_contain_text("6 of 6 rows")
    expect(cell.last).to_contain_text("APPLIED")
    found = [e.reason for e in client.search_events(types=["ADJUST_POINTS"]) if "[lr1:" in e.reason]
    assert len(found) == 6


def test_nothing_is_asked_of_another_host(bulk: OpenNotebook) -> None:
    assert bulk.hosts == {"127.0.0.1"}
