"""`make bench`: prints the table that stands in README, and rates below it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat

from benchmarks.emulator import RETRIEVE, SEARCH, growth, rates
from benchmarks.measuring import Promise, medians
from benchmarks.pages import DESK, desk
from benchmarks.runbooks import (
    AT_ONCE,
    DISTANT,
    LARGE,
    LOOKING,
    against_the_sdk,
    growing,
    looking,
    under_a_limit,
)
from loyalty_helpers import adjustment_key, connect
from loyalty_helpers.settings import NOTEBOOKS, load_settings

BIN = Path(sys.executable).parent
PHONE, POINTS = "+14155551234", 1
RUNS = 20  # of one command
SEARCHING = "01_search_accounts"
READY = "from loyalty_helpers import connect; connect('local')"
SDK_READY = "from square import Square; Square(token='t', base_url='http://127.0.0.1:1')"


RUN = Promise(
    "`loyalty run 02_adjust_points`: check, execute, verify, report, receipt",
    "`papermill` on an empty notebook",
    0.72,
)
CLIENT = Promise(
    "`import loyalty_helpers` and a ready `local` client, emulator included",
    "`from square import Square` and a ready client",
    1.0,
)
ROUND = Promise(
    "search, adjust, retrieve on `local`",
    "the same by the official SDK on the served emulator",
    0.5,
)
EACH = Promise(
    "one of 20 runs of 02 by `loyalty run --each`",
    "`papermill` on an empty notebook",
    0.25,
)
LESSON = Promise(
    "lesson 1 as it is handed out, headless, its world made anew",
    "`01_search_accounts`, headless",
    1.5,
)
PROMISES = (
    RUN,
    EACH,
    CLIENT,
    ROUND,
    RETRIEVE,
    SEARCH,
    AT_ONCE,
    DISTANT,
    LOOKING,
    LARGE,
    DESK,
    LESSON,
)


def command(*arguments: str) -> Callable[[], object]:
    """A process from its start to its end."""
    return lambda: subprocess.run(arguments, check=True, capture_output=True)


def headless_runs(folder: Path) -> Iterator[str]:
    """The whole job of notebook 02 against papermill on a notebook without a cell."""
    empty = folder / "empty.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}), empty)
    run = [str(BIN / "loyalty"), "run", "02_adjust_points", "--out", str(folder / "runs")]
    theirs = command(str(BIN / "papermill"), str(empty), str(folder / "out.ipynb"))
    yield RUN.row(*medians(command(*run), theirs, 7))
    rounds = iter(range(10**9))

    def each() -> None:
        lines = folder / "each.csv"
        runs = [f"each-{next(rounds)}" for _ in range(RUNS)]
        lines.write_text("\n".join(["run_id", *runs]) + "\n", encoding="utf-8")
        command(*run, "--each", str(lines))()

    ours, papermill = medians(each, theirs, 3)
    yield EACH.row(ours / RUNS, papermill)


def first_lesson(folder: Path) -> str:
    """A lesson makes a world of its own before anything else."""
    lesson = NOTEBOOKS / "training" / "01_accounts.ipynb"
    run = [str(BIN / "loyalty"), "run", "--out", str(folder / "runs")]
    return LESSON.row(*medians(command(*run, str(lesson)), command(*run, SEARCHING), 5))


def ready_client() -> str:
    """From a bare interpreter to a client that can be called."""
    ours, theirs = command(sys.executable, "-c", READY), command(sys.executable, "-c", SDK_READY)
    return CLIENT.row(*medians(ours, theirs, 15))


def one_round(folder: Path) -> str:
    """Search, adjust, retrieve: in process against the official SDK and the served emulator."""
    from square import Square

    with connect("local") as client, _served(folder) as url:
        sdk = Square(token="local-token", base_url=url)
        keys = iter(range(10**9))

        def ours() -> None:
            account = client.find_account(phone_number=PHONE)
            key = adjustment_key(f"bench-{next(keys)}", account.id)
            client.adjust_points(account.id, POINTS, idempotency_key=key)
            client.retrieve_account(account.id)

        def theirs() -> None:
            found = sdk.loyalty.accounts.search(query={"mappings": [{"phone_number": PHONE}]})
            [account] = found.loyalty_accounts or []
            key = adjustment_key(f"bench-{next(keys)}", str(account.id))
            change = {"points": POINTS}
            sdk.loyalty.accounts.adjust(account.id, adjust_points=change, idempotency_key=key)
            sdk.loyalty.accounts.get(account.id)

        return ROUND.row(*medians(ours, theirs, 300))


@contextmanager
def _served(folder: Path, *options: str) -> Iterator[str]:
    """A process of its own, as users serve it, so that both sides have a core each."""
    serve = [str(BIN / "loyalty"), "emulator", "serve", "--db", str(folder / "served.sqlite3")]
    serve += options
    process = subprocess.Popen(serve, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        os.environ["LOYALTY_HOME"] = str(folder / "home")
        os.chdir(folder)
        assert load_settings().loyalty_environment == "local"
        print("| Ours | median | Rival | median | ratio | promised | |")
        print("|---|---|---|---|---|---|---|")
        for row in (*headless_runs(folder), ready_client(), one_round(folder)):
            print(row)
        for row in growth(folder):
            print(row)
        for row in against_the_sdk(_served):
            print(row)
        looked, reads = looking(_served)
        print(looked)
        large, memory = growing(_served)
        print(large)
        opened, clicks = desk(folder)
        print(opened)
        print(first_lesson(folder))
        print()
        for line in (*rates(folder, _served), reads, memory, under_a_limit(_served), clicks):
            print(f"- {line}")


if __name__ == "__main__":
    main()
