"""Tables: sorted, paged when long, with ids to copy, and taken on as a DataFrame."""

import sys
from types import SimpleNamespace

import pytest

from loyalty_helpers.errors import LoyaltyError, ParameterError
from loyalty_helpers.records import EventTable, LoyaltyAccount, LoyaltyEvent, Table, table
from loyalty_helpers.records.tables import AccountTable
from tests.doubles import ACCOUNT_BODY, EVENT

NUMBERS = Table("45 numbers", ("n", "word"), tuple((n, f"word {n}") for n in range(45)))


def lines(shown):
    return str(shown).splitlines()


def test_a_long_table_shows_its_first_page_and_tells_how_many_rows_are_not_shown():
    shown = lines(NUMBERS)

    assert (1 + 1 + 20 + 1, "  ... and 25 more rows") == (len(shown), shown[-1])


def test_a_table_of_one_page_tells_of_no_more():
    assert "more" not in str(NUMBERS.page(3))


def test_the_next_pages_are_folded_below_in_html():
    html = NUMBERS._view()["text/html"]

    assert ["Rows 21 to 40", "Rows 41 to 45"] == [
        part.split("</summary>")[0] for part in html.split("<summary>")[1:]
    ]
    assert 45 == html.count("word ")


def test_a_table_that_is_far_too_long_for_a_page_says_what_it_leaves_out():
    html = table("t", ("n",), [(n,) for n in range(1_500)])["text/html"]

    assert (1_000, True) == (html.count("<td"), "... and 500 more rows" in html)


def test_a_page_has_its_rows_and_says_which_it_is():
    shown = lines(NUMBERS.page(2))

    assert "45 numbers, page 2 of 3" == shown[0]
    assert ["20", "39"] == [shown[2].split()[0], shown[-1].split()[0]]


@pytest.mark.parametrize("number", [0, 4])
def test_a_page_that_does_not_exist_is_refused(number):
    with pytest.raises(ParameterError, match=f"found {number}; allowed: 1 to 3"):
        NUMBERS.page(number)


def test_a_table_without_rows_has_one_page():
    assert "0 accounts, page 1 of 1" == str(AccountTable(()).page(1))


def ranked(*values, **order):
    rows = tuple((value,) for value in values)
    return [value for (value,) in Table("t", ("v",), rows).sorted_by("v", **order).rows]


def test_rows_are_sorted_by_number_and_not_by_digits():
    assert [-5, 2, 10] == ranked(10, -5, 2)


def test_rows_are_sorted_downwards_as_well():
    assert [10, 2, -5] == ranked(2, 10, -5, descending=True)


def test_rows_without_a_value_come_last_both_ways():
    assert ["a", "b", None, ""] == ranked(None, "b", "", "a")
    assert ["b", "a", None, ""] == ranked(None, "b", "", "a", descending=True)


def test_times_are_sorted_with_those_that_cannot_exist():
    times = ["2026-01-02T00:00:00Z", "2025-13-01T00:00:00Z", "2025-01-02T00:00:00Z"]
    events = [LoyaltyEvent.model_validate(EVENT | {"created_at": at}) for at in times]
    rows = EventTable(tuple(events)).sorted_by("created_at").rows

    assert ["2025-01", "2025-13", "2026-01"] == [str(row[2])[:7] for row in rows]


def test_a_sorted_table_says_so():
    assert "45 numbers, by word" == lines(NUMBERS.sorted_by("word"))[0]


def test_a_column_that_does_not_exist_is_refused_with_those_that_do():
    with pytest.raises(ParameterError, match="found 'name'; allowed: n, word"):
        NUMBERS.sorted_by("name")


def test_a_click_marks_the_whole_of_an_id_and_of_nothing_else():
    account = LoyaltyAccount.model_validate(ACCOUNT_BODY)
    cells = AccountTable((account,))._view()["text/html"].split("<td")[1:]

    assert [False, False, True, True] == ["user-select: all" in cell for cell in cells]


def test_events_show_their_ids():
    assert EVENT["id"] in str(EventTable((LoyaltyEvent.model_validate(EVENT),)))


def test_a_frame_has_the_columns_and_all_rows(monkeypatch):
    made = SimpleNamespace(DataFrame=lambda rows, columns: (rows, columns))
    monkeypatch.setitem(sys.modules, "pandas", made)

    assert (list(NUMBERS.rows), ["n", "word"]) == NUMBERS.to_frame()


def test_a_frame_masks_phone_numbers(monkeypatch):
    made = SimpleNamespace(DataFrame=lambda rows, columns: rows)
    monkeypatch.setitem(sys.modules, "pandas", made)
    account = LoyaltyAccount.model_validate(ACCOUNT_BODY)

    assert account.masked_phone_number in AccountTable((account,)).to_frame()[0]


def test_without_pandas_a_frame_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)

    with pytest.raises(LoyaltyError, match="pip install pandas"):
        NUMBERS.to_frame()
