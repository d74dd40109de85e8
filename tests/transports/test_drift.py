"""Two JSON values, field by field."""

import pytest

from loyalty_helpers.transports.recordings import ABSENT, Drift, differences


@pytest.mark.parametrize("value", [{}, [], 1, "a", None, {"a": [{"b": None}]}])
def test_equal_values_have_no_difference(value):
    assert [] == list(differences(value, value))


@pytest.mark.parametrize(
    ("expected", "found", "difference"),
    [
        ({"a": 1}, {"a": 2}, ("a", 1, 2)),
        ({"a": 1}, {}, ("a", 1, ABSENT)),
        ({}, {"a": 1}, ("a", ABSENT, 1)),
        ({"a": None}, {}, ("a", None, ABSENT)),
        ({"a": {"b": [1, 2]}}, {"a": {"b": [1, 3]}}, ("a.b.1", 2, 3)),
        ([1], [1, 2], ("1", ABSENT, 2)),
        ({"a": 1}, {"a": "1"}, ("a", 1, "1")),
        ({"a": 1}, {"a": True}, ("a", 1, True)),
        ({"a": {}}, {"a": []}, ("a", {}, [])),
        (1, 2, ("body", 1, 2)),
    ],
)
def test_a_difference_names_its_place(expected, found, difference):
    assert [Drift(*difference)] == list(differences(expected, found))


def test_differences_come_in_the_order_of_the_fields():
    found = differences({"b": 1, "a": 1}, {"a": 2, "b": 2, "c": 3})

    assert ["b", "a", "c"] == [difference.path for difference in found]


def test_a_difference_reads_as_a_sentence():
    assert "a.b: recorded 500, found 5" == str(Drift("a.b", 500, 5))
