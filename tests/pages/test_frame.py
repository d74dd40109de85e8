"""A page that cannot be opened says so in words: Voila tells nobody what an error says."""

import pytest

from loyalty_helpers.pages.frame import framed
from tests.doubles import CANARY_TOKEN


def test_a_page_gets_the_client_of_the_environment(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "local")

    with framed("desk", lambda client: client) as client:
        assert "local" == client.environment


def test_why_there_is_no_page_is_shown_in_its_place(monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", "sandbox")

    shown = framed("desk", lambda client: client)._repr_mimebundle_()
    assert "needs SQUARE_ACCESS_TOKEN" in shown["text/plain"]
    assert "needs SQUARE_ACCESS_TOKEN" in shown["text/html"]


def test_production_that_lies_around_is_refused_in_words(monkeypatch):
    for name, value in {
        "SERVER_SOFTWARE": "voila/0.5.13",
        "LOYALTY_ENVIRONMENT": "production",
        "LOYALTY_ALLOW_PRODUCTION": "M1",
        "SQUARE_ACCESS_TOKEN": CANARY_TOKEN,
    }.items():
        monkeypatch.setenv(name, value)

    shown = framed("desk", lambda client: client)
    assert "loyalty app --environment production" in shown.why


def test_a_fault_of_ours_is_no_closed_page():
    """It is for the log, and whoever reads that."""

    def make(client):
        client.close()
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        framed("desk", make)
