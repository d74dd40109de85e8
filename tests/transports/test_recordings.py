"""Recordings: what is written down, what is replayed, and what is told when nothing fits."""

import json
import threading

import httpx
import pytest

from loyalty_helpers.errors import NoRecordingError, RecordingError, SquareUnavailableError
from loyalty_helpers.session import connect
from loyalty_helpers.transports.recordings import (
    Provenance,
    Recorded,
    Recording,
    RecordingTransport,
    ReplayTransport,
    Request,
    Response,
    load_recording,
    recording_file,
    save_recording,
)
from tests.doubles import (
    ACCOUNT,
    ACCOUNT_BODY,
    ACCOUNT_ID,
    ADJUST,
    EVENT,
    PHONE,
    Answers,
    Clock,
    make_client,
    make_wire,
    refused,
    reply,
)

SOURCE = Provenance(source="emulator", recorded_at="2026-11-01T09:00:00Z")
REAL_PHONE = "+442079460123"  # kept for fiction, but none of the 555 numbers that stay readable


def recorded(method, path, body, answer, status=200):
    return Recorded(
        provenance=SOURCE,
        request=Request(method=method, path=path, body=body),
        response=Response(status=status, body=answer),
    )


def balance(points):
    return {"loyalty_account": ACCOUNT_BODY | {"balance": points}}


def adjust_body(points, key="k"):
    return {"adjust_points": {"points": points}, "idempotency_key": key}


def replay(tmp_path, *exchanges):
    recording = Recording(format=1, notebook="n", exchanges=exchanges)
    return make_client(ReplayTransport(recording, tmp_path / "n.json"))


def recorder(tmp_path, *answers, **options):
    options = {"notebook": "n", "source": "emulator"} | options
    return RecordingTransport(Answers(*answers), tmp_path / "n.json", **options)


def written(tmp_path):
    return json.loads((tmp_path / "n.json").read_text(encoding="utf-8"))


# Replay


def test_the_same_request_gets_its_answers_in_order_and_then_the_last_one(tmp_path):
    exchanges = [recorded("GET", ACCOUNT, None, balance(points)) for points in (0, 12)]
    client = replay(tmp_path, *exchanges)

    assert [0, 12, 12] == [client.retrieve_account(ACCOUNT_ID).balance for _ in range(3)]


def test_requests_between_do_not_disturb_the_order(tmp_path):
    exchanges = [
        recorded("GET", ACCOUNT, None, balance(0)),
        recorded("GET", "/v2/locations", None, {}),
        recorded("GET", ACCOUNT, None, balance(12)),
    ]
    client = replay(tmp_path, *exchanges)
    before = client.retrieve_account(ACCOUNT_ID).balance
    client.list_locations()

    assert (0, 12) == (before, client.retrieve_account(ACCOUNT_ID).balance)


def test_500_points_do_not_replay_the_answer_for_5(tmp_path):
    client = replay(tmp_path, recorded("POST", ADJUST, adjust_body(5), {"event": EVENT}))
    with pytest.raises(NoRecordingError, match=r"adjust_points\.points: recorded 5, found 500"):
        client.adjust_points(ACCOUNT_ID, 500, idempotency_key="k")


def test_another_path_or_method_does_not_match(tmp_path):
    client = replay(tmp_path, recorded("GET", ACCOUNT, None, balance(0)))
    with pytest.raises(NoRecordingError, match="path: recorded"):
        client.retrieve_account("other")
    with pytest.raises(NoRecordingError, match="method: recorded 'GET', found 'POST'"):
        client.request("POST", ACCOUNT, {"idempotency_key": "k"})


def test_the_order_of_fields_does_not_matter(tmp_path):
    body = adjust_body(12)
    answers = [EVENT | {"id": "1"}, EVENT | {"id": "2"}]
    exchanges = [recorded("POST", ADJUST, body, {"event": event}) for event in answers]
    client = replay(tmp_path, *exchanges)
    sent = [client.request("POST", ADJUST, each) for each in (body, dict(reversed(body.items())))]

    assert ["1", "2"] == [exchange.answer["event"]["id"] for exchange in sent]


def test_an_error_of_square_is_replayed(tmp_path):
    answer = {"errors": [{"category": "API_ERROR", "code": "BAD_GATEWAY"}]}
    client = replay(tmp_path, recorded("GET", ACCOUNT, None, answer, status=502))
    with pytest.raises(SquareUnavailableError, match="502 BAD_GATEWAY"):
        client.retrieve_account(ACCOUNT_ID)


def test_no_match_shows_the_nearest_request_and_what_to_do(tmp_path):
    exchanges = [
        recorded("GET", ACCOUNT, None, balance(0)),
        recorded("POST", ADJUST, adjust_body(5, "other"), {"event": EVENT}),
        recorded("POST", ADJUST, adjust_body(5), {"event": EVENT}),
    ]
    with pytest.raises(NoRecordingError) as caught:
        replay(tmp_path, *exchanges).adjust_points(ACCOUNT_ID, 7, idempotency_key="k")

    assert (
        f"n.json holds no answer to POST {ADJUST}.\n"
        f"The nearest recorded request is POST {ADJUST}:\n"
        "  body.adjust_points.points: recorded 5, found 7\n"
        "In 'recorded' only the recorded values work. Use 'local' for others, or make the "
        "recording anew with: loyalty record n"
    ) == str(caught.value)


def test_an_empty_recording_has_no_nearest_request(tmp_path):
    with pytest.raises(NoRecordingError, match="holds no answer to GET /v2/locations"):
        replay(tmp_path).list_locations()


def test_an_answer_that_was_changed_by_its_reader_is_replayed_unchanged(tmp_path):
    client = replay(tmp_path, recorded("GET", "/v2/x", None, {"list": [1]}))
    client.request("GET", "/v2/x").answer["list"].append(2)

    assert [1] == client.request("GET", "/v2/x").answer["list"]


def test_threads_share_a_replay_and_each_answer_is_given_once(tmp_path):
    exchanges = [recorded("GET", ACCOUNT, None, balance(points)) for points in range(80)]
    client, found = replay(tmp_path, *exchanges), []

    def ask():
        found.extend(client.retrieve_account(ACCOUNT_ID).balance for _ in range(10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert list(range(80)) == sorted(found)


def test_threads_that_record_lose_nothing(tmp_path):
    client = make_client(recorder(tmp_path, reply(200, {"locations": []})))
    threads = [threading.Thread(target=client.list_locations) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 8 == len(written(tmp_path)["exchanges"])


# Files

GOOD = {
    "format": 1,
    "notebook": "n",
    "exchanges": [
        {
            "provenance": {"source": "sandbox"},
            "request": {"method": "GET", "path": "/v2/x"},
            "response": {"status": 200, "body": {}},
        }
    ],
}


def test_a_recording_that_is_missing_says_how_to_make_it(tmp_path):
    with pytest.raises(RecordingError, match=r"there is no recording .*loyalty record 02_adjust"):
        load_recording(tmp_path / "02_adjust_points.json")


@pytest.mark.parametrize(
    "content",
    [b"", b'{"format": 1, "notebook": "n", "excha', b"\xff\xfe{}", b"not JSON", b"[" * 99_999],
    ids=["empty", "truncated", "no UTF-8", "text", "too deep"],
)
def test_a_recording_that_cannot_be_read_says_so(tmp_path, content):
    (tmp_path / "n.json").write_bytes(content)
    with pytest.raises(RecordingError, match=r"n\.json cannot be read: .*loyalty record n"):
        load_recording(tmp_path / "n.json")


def test_a_folder_in_place_of_a_recording_is_told(tmp_path):
    with pytest.raises(RecordingError, match="cannot be read"):
        load_recording(tmp_path)


@pytest.mark.parametrize("value", [{}, [], 1, None, GOOD | {"format": 2}, GOOD | {"format": "1"}])
def test_a_recording_of_another_format_is_refused(tmp_path, value):
    (tmp_path / "n.json").write_text(json.dumps(value))
    with pytest.raises(RecordingError, match=r"has format .*, not 1\. Make it anew"):
        load_recording(tmp_path / "n.json")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"exchanges": {}}, "exchanges"),
        ({"exchanges": [{}]}, r"exchanges\.0\.provenance"),
        ({"notebook": 7}, "notebook"),
        ({"more": 1}, "more"),
        ({"exchanges": [GOOD["exchanges"][0] | {"provenance": {"source": "square"}}]}, "source"),
        ({"exchanges": [GOOD["exchanges"][0] | {"response": {"status": "200"}}]}, "status"),
    ],
)
def test_a_corrupt_recording_names_the_field(tmp_path, change, field):
    (tmp_path / "n.json").write_text(json.dumps(GOOD | change))
    with pytest.raises(RecordingError, match=f"is corrupt: .*{field}"):
        load_recording(tmp_path / "n.json")


def test_a_recording_is_read_as_it_was_written(tmp_path):
    answer = {"event": None, "list": [None], "text": "Zürich 😀"}
    recording = Recording(
        format=1, notebook="n", exchanges=(recorded("POST", ADJUST, {"a": None}, answer),)
    )
    save_recording(tmp_path / "n.json", recording)

    assert recording == load_recording(tmp_path / "n.json")


def test_a_recording_may_be_read_by_all_for_it_is_committed(tmp_path):
    save_recording(tmp_path / "n.json", Recording(format=1, notebook="n", exchanges=()))

    assert 0o644 == (tmp_path / "n.json").stat().st_mode & 0o777


@pytest.mark.parametrize(
    "name", ["02_adjust_points", "02_adjust_points.ipynb", "a/02_adjust_points"]
)
def test_the_file_of_a_notebook_bears_its_name(tmp_path, name):
    assert tmp_path / "02_adjust_points.json" == recording_file(tmp_path, name)


# Recording


def test_each_exchange_says_where_it_comes_from(tmp_path):
    answer = reply(200, {}, Date="Sun, 01 Nov 2026 09:00:00 GMT", Square_Version="2026-09-16")
    make_client(recorder(tmp_path, answer, source="sandbox")).list_locations()

    provenance = {
        "source": "sandbox",
        "recorded_at": "2026-11-01T09:00:00Z",
        "square_version": "2026-09-16",
    }
    assert [provenance] == [each["provenance"] for each in written(tmp_path)["exchanges"]]


def test_what_was_recorded_is_replayed(tmp_path):
    asked = make_client(recorder(tmp_path, reply(200, balance(7)), reply(200, balance(8))))
    balances = [asked.retrieve_account(ACCOUNT_ID).balance for _ in range(2)]
    again = make_client(ReplayTransport.load(tmp_path / "n.json"))

    assert [7, 8] == balances == [again.retrieve_account(ACCOUNT_ID).balance for _ in range(2)]


def test_real_phone_numbers_are_masked_and_made_up_ones_stay(tmp_path):
    found = {"loyalty_accounts": [ACCOUNT_BODY | {"mapping": {"phone_number": REAL_PHONE}}]}
    client = make_client(recorder(tmp_path, reply(200, found)))
    list(client.search_accounts(phone_numbers=[REAL_PHONE, PHONE]))

    exchange = written(tmp_path)["exchanges"][0]
    assert [{"phone_number": "***0123"}, {"phone_number": PHONE}] == (
        exchange["request"]["body"]["query"]["mappings"]
    )
    assert (
        "***0123" == exchange["response"]["body"]["loyalty_accounts"][0]["mapping"]["phone_number"]
    )


def test_the_client_gets_the_number_that_the_recording_masks(tmp_path):
    found = {"loyalty_account": ACCOUNT_BODY | {"mapping": {"phone_number": REAL_PHONE}}}
    client = make_client(recorder(tmp_path, reply(200, found)))

    assert REAL_PHONE == client.retrieve_account(ACCOUNT_ID).mapping.phone_number


def test_a_masked_request_is_found_again(tmp_path):
    found = {"loyalty_accounts": [ACCOUNT_BODY]}
    make_client(recorder(tmp_path, reply(200, found))).find_account(phone_number=REAL_PHONE)
    again = make_client(ReplayTransport.load(tmp_path / "n.json"))

    assert ACCOUNT_ID == again.find_account(phone_number=REAL_PHONE).id


def test_a_recording_is_whole_after_every_exchange(tmp_path):
    client = make_client(recorder(tmp_path, reply(200, balance(1))))
    counts = []
    for _ in range(3):
        client.retrieve_account(ACCOUNT_ID)
        counts.append(len(load_recording(tmp_path / "n.json").exchanges))

    assert [1, 2, 3] == counts
    assert ["n.json"] == [each.name for each in tmp_path.iterdir()]


def test_an_answer_that_is_no_json_is_passed_on_and_not_written_down(tmp_path):
    html = reply(502, b"<html>Bad Gateway</html>")
    client = make_client(recorder(tmp_path, html, reply(200, {"locations": []})))
    client.list_locations()

    assert [200] == [each["response"]["status"] for each in written(tmp_path)["exchanges"]]


def test_a_recorded_answer_still_says_when_to_come_again(tmp_path):
    clock = Clock()
    answers = (reply(429, {"errors": []}, Retry_After="7"), reply(200, {}))
    make_wire(recorder(tmp_path, *answers), clock=clock).send("GET", "/v2/x")

    assert [7.0] == clock.slept


def test_a_lost_answer_is_not_written_down(tmp_path):
    lost = httpx.ReadError("reset")
    make_client(recorder(tmp_path, lost, reply(200, {}), refused(400))).list_locations()

    assert 1 == len(written(tmp_path)["exchanges"])


@pytest.mark.parametrize(
    "notebook",
    ["01_search_accounts", "02_adjust_points", "03_retrieve_account", "04_balance_events"],
)
def test_the_recordings_of_the_notebooks_load(notebook):
    with connect("recorded", notebook=notebook) as client:
        assert "recorded" == client.environment


@pytest.mark.parametrize("name", ["x" * 300, "n\0", "n\ud800", "file/below"])
def test_a_name_that_no_file_can_have_is_told(tmp_path, name):
    (tmp_path / "file").touch()
    recording = Recording(format=1, notebook="n", exchanges=())
    with pytest.raises(RecordingError, match="cannot be written"):
        save_recording(tmp_path / name / "n.json", recording)
    with pytest.raises(RecordingError, match=r"cannot be read|there is no recording"):
        load_recording(tmp_path / name / "n.json")


@pytest.mark.parametrize("name", ["a b", "-", "\n", "\x1b", "\udcff", "'", "ü", "%", "*"])
def test_every_name_that_a_file_can_have_is_written_and_read(tmp_path, name):
    recording = Recording(format=1, notebook="n", exchanges=())
    save_recording(tmp_path / f"{name}.json", recording)

    assert recording == load_recording(tmp_path / f"{name}.json")
