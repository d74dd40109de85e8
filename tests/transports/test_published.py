"""Published examples replace an answer only where everything that counts agrees."""

import copy
import json

import pytest

from loyalty_helpers.errors import RecordingError
from loyalty_helpers.settings import RECORDINGS
from loyalty_helpers.transports.published import PublishedExamples
from loyalty_helpers.transports.recordings import Provenance, Recorded, Recording

EXAMPLES = json.loads((RECORDINGS / "documented.json").read_text(encoding="utf-8"))
EVENT, ACCOUNT = (example["body"] for example in EXAMPLES)
EVENT_PAGE, ACCOUNT_PAGE = (example["page"] for example in EXAMPLES)


def rewrite(body):
    return PublishedExamples.load(RECORDINGS).rewrite(body)


def as_the_emulator(body, **changed):
    """The example with what an emulator makes anew: id and times, and the plus of the number."""
    made = copy.deepcopy(body)
    (record,) = made.values()
    if "loyalty_account_id" in record:
        record["id"] = "made-by-the-emulator"
    record["created_at"] = "2026-11-01T09:00:00Z"
    if "mapping" in record:
        record["updated_at"] = record["mapping"]["created_at"] = "2026-11-01T09:00:00Z"
        record["mapping"]["phone_number"] = "+14155551234"
    record.update(changed)
    return made


@pytest.mark.parametrize(("body", "page"), [(EVENT, EVENT_PAGE), (ACCOUNT, ACCOUNT_PAGE)])
def test_an_answer_that_agrees_becomes_the_example_to_the_letter(body, page):
    assert (body, page) == rewrite(as_the_emulator(body))


def test_the_impossible_time_of_the_example_is_kept():
    rewritten, _ = rewrite(as_the_emulator(ACCOUNT))

    assert "2020-05-11T25:11:07Z" == rewritten["loyalty_account"]["updated_at"]


@pytest.mark.parametrize(
    "changed",
    [
        {"balance": 0},
        {"balance": 13},
        {"lifetime_points": 0},
        {"id": "another"},
        {"customer_id": "another"},
        {"enrolled_at": "2026-11-01T09:00:00Z"},
        {"mapping": ACCOUNT["loyalty_account"]["mapping"] | {"phone_number": "+14155550123"}},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_account_that_differs_stays_as_it_is(changed):
    answer = as_the_emulator(ACCOUNT, **changed)

    assert (answer, None) == rewrite(answer)


@pytest.mark.parametrize(
    "changed",
    [
        {"adjust_points": EVENT["event"]["adjust_points"] | {"points": 13}},
        {"adjust_points": EVENT["event"]["adjust_points"] | {"reason": "Another"}},
        {"loyalty_account_id": "another"},
        {"type": "OTHER"},
        {"source": "SQUARE"},
    ],
)
def test_an_event_that_differs_stays_as_it_is(changed):
    answer = as_the_emulator(EVENT, **changed)

    assert (answer, None) == rewrite(answer)


def test_an_example_inside_a_longer_answer_is_put_in_and_not_called_published():
    other = {"id": "e2", "type": "OTHER", "loyalty_account_id": "a"}
    answer = {"events": [other, as_the_emulator(EVENT)["event"]]}

    assert ({"events": [other, EVENT["event"]]}, None) == rewrite(answer)


@pytest.mark.parametrize("answer", [{}, [], None, "text", {"errors": [{"code": "NOT_FOUND"}]}])
def test_other_answers_stay_as_they_are(answer):
    assert (answer, None) == rewrite(answer)


def test_the_answer_that_was_given_is_not_changed():
    answer = as_the_emulator(ACCOUNT)
    before = copy.deepcopy(answer)
    rewrite(answer)

    assert before == answer


def exchange(body):
    where = {"source": "emulator", "recorded_at": "2026-11-01T09:00:00Z"}
    return Recorded.model_validate(
        {
            "provenance": where,
            "request": {"method": "GET", "path": "/v2/x"},
            "response": {"status": 200, "body": body},
        }
    )


def test_an_answer_of_a_recording_that_is_published_says_on_which_page():
    made = [exchange(as_the_emulator(ACCOUNT)), exchange({"locations": []})]
    recording = Recording(format=1, notebook="n", exchanges=tuple(made))

    account, other = PublishedExamples.load(RECORDINGS).put_into(recording).exchanges

    assert (ACCOUNT, made[1]) == (account.response.body, other)
    assert Provenance(source="documented", page=ACCOUNT_PAGE) == account.provenance


@pytest.mark.parametrize("content", [None, b"", b"[{}]", b"[1]", b'{"a": 1}', b"\xff"])
def test_examples_that_cannot_be_read_are_told(tmp_path, content):
    if content is not None:
        (tmp_path / "documented.json").write_bytes(content)
    with pytest.raises(RecordingError, match=r"documented\.json cannot be read"):
        PublishedExamples.load(tmp_path)
