"""Real runs: the command in a process of its own, papermill, a kernel, files on the disk."""

import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from waitress.server import create_server

from loyalty_helpers import connect
from loyalty_helpers.emulator import Emulator
from tests.commands import COMMAND, Left, loyalty, receipt

pytestmark = pytest.mark.slow

WALKTHROUGH = "1beb38f9-54de-4cb6-8121-718bDexample"
PLACE = "environment local"
TWICE = ("run 02_adjust_points", "run 02_adjust_points")
App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def events() -> list[Any]:
    with connect("local") as client:
        return list(client.search_events(account_id=WALKTHROUGH))


@pytest.fixture
def serve() -> Iterator[Callable[[App], str]]:
    """Serve a WSGI app on a free loopback port; gives its URL."""
    servers = []

    def start(app: App) -> str:
        server = create_server(app, host="127.0.0.1", port=0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.effective_port}"

    yield start
    for server, thread in servers:
        server.close()
        thread.join(5)


def test_a_run_ends_with_one_line_that_says_what_happened(left_by: Left) -> None:
    result = left_by("run 02_adjust_points")

    [event] = events()
    report = Path("runs", "walkthrough-2", "02_adjust_points.html")
    line = f"verified: balance 0 -> 12 points (+12), event {event.id}, {PLACE}, report {report}"
    assert (0, line) == (result.returncode, result.stdout.strip())
    assert result.stderr == ""


def test_a_run_leaves_notebook_report_and_receipt_for_their_owner_only(left_by: Left) -> None:
    left_by("run 02_adjust_points")

    folder = Path("runs", "walkthrough-2")
    names = ["02_adjust_points.html", "02_adjust_points.ipynb", "intent.json", "receipt.json"]
    assert names == sorted(path.name for path in folder.iterdir())
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_receipt_says_what_was_asked_and_what_came_of_it() -> None:
    loyalty("run", "02_adjust_points", "-p", "points", "5", "-p", "run_id", "r1")

    [event] = events()
    found = receipt("r1")
    expected = {
        "status": "verified",
        "verified": True,
        "environment": "local",
        "account_id": WALKTHROUGH,
        "event_id": event.id,
        "points": 5,
        "applied": "now",
        "balance_before": 0,
        "balance_after": 5,
        "error": None,
    }
    assert expected == {name: found[name] for name in expected}
    assert found["parameters"]["phone_number"] == "***1234"
    assert found["started_at"] <= found["finished_at"]


def test_purchases_end_with_one_line_and_a_second_run_buys_nothing(left_by: Left) -> None:
    first = left_by("run 05_accumulate_from_order")
    again = loyalty("run", "05_accumulate_from_order")

    report = Path("runs", "walkthrough-1", "05_accumulate_from_order.html")
    line = f"verified: balance 0 -> 10 points, +12 -10 +8, {PLACE}, report {report}"
    assert (0, line) == (first.returncode, first.stdout.strip())
    assert "balance 10 -> 10 points, +12 -10 +8, applied before" in again.stdout
    assert receipt("walkthrough-1")["applied"] == "before"
    assert len(events()) == 4


def test_the_same_run_id_adds_the_points_once_and_says_so(left_by: Left) -> None:
    again = left_by(*TWICE)

    assert again.returncode == 0
    assert "balance 12 -> 12 points (+12, applied before, at " in again.stdout
    assert [12] == [event.points for event in events()]


def test_an_earlier_run_of_the_same_id_keeps_its_receipt(left_by: Left) -> None:
    left_by(*TWICE)

    assert receipt("walkthrough-2/earlier/1")["applied"] == "now"
    assert receipt("walkthrough-2")["applied"] == "before"


ANOTHER = "asked for with another "


def test_other_points_under_a_used_run_id_fail_loudly_and_change_nothing(left_by: Left) -> None:
    left_by("run 02_adjust_points")
    result = loyalty("run", "02_adjust_points", "-p", "points", "13")

    assert result.returncode == 1
    assert f"{ANOTHER}points 13" in result.stderr.replace("\n", " ")
    assert "take a new run id" in result.stderr
    assert [12] == [event.points for event in events()]


@pytest.mark.parametrize(
    ("notebook", "run_id"),
    [("02_adjust_points", "walkthrough-2"), ("05_accumulate_from_order", "walkthrough-1")],
)
def test_another_buyer_under_a_used_run_id_is_not_called_a_success(
    left_by: Left, notebook: str, run_id: str
) -> None:
    first = left_by(f"run {notebook}")
    intent = Path("runs", run_id, "intent.json").read_text()
    with connect("local") as client:
        before = {account.id: account.balance for account in client.search_accounts()}
    other = next(each for each in before if each != WALKTHROUGH)
    named = ("-p", "phone_number", "", "-p", "account_id", other)
    result = loyalty("run", notebook, *named)

    assert (0, 1) == (first.returncode, result.returncode)
    assert f"run id '{run_id}' stands for account_id {WALKTHROUGH}" in result.stderr
    assert "verified:" not in result.stdout
    kept = receipt(run_id)  # of the refused run, or still that of the first
    assert other not in (kept["account_id"], kept["event_id"])
    assert not kept["verified"] or kept["parameters"]["account_id"] == ""
    assert intent == Path("runs", run_id, "intent.json").read_text()
    with connect("local") as client:
        assert before == {account.id: account.balance for account in client.search_accounts()}


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        (["pionts", "3"], "did you mean points?"),
        (["points", "1.5"], "points: found '1.5'; allowed: a whole number"),
        (["points", "0"], "points: found '0'"),
        (["phone_number", "+1415555CALL"], "allowed: E.164 format"),
        (["reason", "x" * 3501], "(3501 characters); allowed: text of up to 3,500"),
    ],
)
def test_bad_parameters_are_refused_before_anything_runs(parameters: list[str], told: str) -> None:
    result = loyalty("run", "02_adjust_points", "-p", *parameters)

    assert result.returncode == 2
    assert told in result.stderr
    assert not Path("runs").exists()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_runs() -> None:
    Path("runs").mkdir()
    Path("runs", "walkthrough-2").write_text("a file where the folder should be")
    result = loyalty("run", "02_adjust_points")

    assert result.returncode == 2
    assert "nothing can be written to" in result.stderr
    assert events() == []


def test_two_runs_of_one_id_do_not_work_at_once(stuck_run: subprocess.Popen[str]) -> None:
    second = loyalty("run", "02_adjust_points")

    assert second.returncode == 2
    assert "another run is at work in" in second.stderr
    assert receipt("walkthrough-2")["status"] == "interrupted"  # the first's, as it began


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ("sandbox", "needs SQUARE_ACCESS_TOKEN"),
        ("production", "set LOYALTY_ALLOW_PRODUCTION"),
    ],
)
def test_an_environment_without_its_guards_is_refused(environment: str, told: str) -> None:
    result = loyalty("run", "02_adjust_points", "-p", "environment", environment)

    assert result.returncode == 2
    assert told in result.stderr.replace("\n  ", " ").replace("To allow it, ", "")
    assert not Path("runs").exists()


def test_an_unknown_notebook_is_refused_with_those_there_are() -> None:
    result = loyalty("run", "02_adjust")

    assert result.returncode == 2
    assert "02_adjust_points" in result.stderr


def test_nobody_found_fails_with_the_way_out() -> None:
    result = loyalty("run", "02_adjust_points", "-p", "phone_number", "+12125550199")

    assert result.returncode == 1
    assert "no loyalty account has this phone number" in result.stderr
    assert "search by customer_id" in result.stderr


def test_a_recorded_run_answers_only_what_was_recorded() -> None:
    variables = {"LOYALTY_ENVIRONMENT": "recorded"}
    good = loyalty("run", "02_adjust_points", **variables)
    bad = loyalty("run", "02_adjust_points", "-p", "points", "500", **variables)

    assert good.returncode == 0
    assert bad.returncode == 1
    assert "body.adjust_points.points: recorded 12, found 500" in bad.stderr


def test_square_down_after_the_write_is_unknown_and_a_second_run_settles_it(
    serve: Callable[[App], str], tmp_path: Path
) -> None:
    """The worst moment: the points are credited, and no answer arrives any more."""
    emulator = Emulator.open(tmp_path / "served.sqlite3")
    down = threading.Event()

    def falls_after_adjust(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not down.is_set() and environ["PATH_INFO"].endswith("/adjust"):
            list(emulator(environ, lambda *_: None))
            down.set()
        if down.is_set():
            start_response("503 Service Unavailable", [("Content-Type", "text/html")])
            return [b"<h1>down</h1>"]
        return emulator(environ, start_response)

    url = serve(falls_after_adjust)
    first = loyalty("run", "02_adjust_points", LOYALTY_EMULATOR_URL=url)
    second = loyalty("run", "02_adjust_points", LOYALTY_EMULATOR_URL=serve(emulator))

    assert first.returncode == 1
    assert "Run it again with the same run id" in first.stderr
    emulator.close()
    assert second.returncode == 0
    assert "balance 12 -> 12 points (+12, applied before, at " in second.stdout


@pytest.fixture
def stuck_run(serve: Callable[[App], str], tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in the middle of its adjustment, which waits for an answer that does not come."""
    emulator = Emulator.open(tmp_path / "served.sqlite3")
    reached, release = threading.Event(), threading.Event()

    def hangs_at_adjust(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/adjust"):
            reached.set()
            release.wait(30)
        return emulator(environ, start_response)

    with subprocess.Popen(
        [COMMAND, "run", "02_adjust_points"],
        env=os.environ | {"LOYALTY_EMULATOR_URL": serve(hangs_at_adjust)},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert reached.wait(60)
        yield process
        release.set()
        process.kill()
    emulator.close()


def test_a_killed_run_leaves_a_receipt_that_does_not_claim_success(
    stuck_run: subprocess.Popen[str],
) -> None:
    os.killpg(stuck_run.pid, signal.SIGKILL)
    stuck_run.wait(10)

    found = receipt("walkthrough-2")
    assert ("interrupted", False, None) == (
        found["status"],
        found["verified"],
        found["finished_at"],
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_told_to_stop_says_how_to_go_on(
    stuck_run: subprocess.Popen[str], number: signal.Signals
) -> None:
    os.killpg(stuck_run.pid, number)
    _, told = stuck_run.communicate(timeout=60)

    assert stuck_run.returncode == 1
    assert "run it again with the same run id" in told
    assert "Traceback" not in told
    assert receipt("walkthrough-2")["status"] == "interrupted"


def test_a_notebook_that_cannot_be_saved_fails_and_its_receipt_says_what_was_done(
    serve: Callable[[App], str], tmp_path: Path
) -> None:
    """As on a full disk: a folder takes the place of the file while the notebook runs."""
    emulator = Emulator.open(tmp_path / "served.sqlite3")

    def takes_the_place(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].endswith("/adjust"):
            saved = tmp_path / "runs" / "walkthrough-2" / "02_adjust_points.ipynb"
            saved.unlink(missing_ok=True)
            saved.mkdir(parents=True)
        return emulator(environ, start_response)

    result = loyalty("run", "02_adjust_points", LOYALTY_EMULATOR_URL=serve(takes_the_place))
    emulator.close()

    found = receipt("walkthrough-2")
    assert result.returncode == 1
    assert "Is a directory" in result.stderr
    assert ("failed", 12) == (found["status"], found["balance_after"])


def test_the_report_runs_no_script_and_names_no_host() -> None:
    loyalty("run", "04_balance_events")

    [report] = Path("runs").glob("04_balance_events-*/*.html")
    html = report.read_text()
    assert "<script" not in html
    assert "default-src 'none'" in html
    assert 'src="data:image/svg+xml;base64,' in html


def test_a_reason_that_is_html_is_shown_as_text_in_the_report() -> None:
    reason = "<img src=x onerror=alert(1)>"
    loyalty("run", "02_adjust_points", "-p", "reason", reason)

    html = Path("runs", "walkthrough-2", "02_adjust_points.html").read_text()
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
