"""A lesson as a newcomer does it: typing into a marked cell, reading what the checker says."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from .conftest import OpenNotebook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("lesson")]

LOOKALIKE = 'ana = client.find_account(phone_number="+14155550142")\nlesson.stamp("phone", ana)'
RIGHT = LOOKALIKE.replace("+1415", "+1212")
CHECK = 'lesson.check("phone")'


@pytest.fixture(scope="module")
def lesson(open_notebook: Callable[..., OpenNotebook]) -> OpenNotebook:
    """Lesson 1, run as it was handed out."""
    notebook = open_notebook("training/01_accounts")
    notebook.run_all()
    return notebook


def answer(notebook: OpenNotebook, code: str) -> Locator:
    """Type an answer over the marked cell, and run it and its check; what the check says."""
    cell = notebook.page.locator(".jp-CodeCell").filter(has_text='lesson.stamp("phone"').first
    cell.locator(".cm-content").click()
    notebook.page.keyboard.press("Control+A")
    notebook.page.keyboard.insert_text(code)
    notebook.page.keyboard.press("Shift+Enter")
    notebook.page.keyboard.press("Shift+Enter")
    return notebook.output(CHECK)


def test_as_handed_out_it_is_not_attempted(lesson: OpenNotebook) -> None:
    expect(lesson.output(CHECK)).to_contain_text("phone: not attempted")


def test_a_typical_mistake_is_told(lesson: OpenNotebook) -> None:
    told = answer(lesson, LOOKALIKE)

    expect(told).to_contain_text("phone: wrong")
    expect(told).to_contain_text("its area code is 415")


def test_the_solution_passes(lesson: OpenNotebook) -> None:
    expect(answer(lesson, RIGHT)).to_contain_text("phone: passed")


def test_nothing_is_asked_of_another_host(lesson: OpenNotebook) -> None:
    assert lesson.hosts == {"127.0.0.1"}
