"""Planning: reads only, judges every row, and gives a file that cannot be changed unseen."""

import hashlib
import json
import threading

import pytest

from loyalty_helpers import runbooks
from loyalty_helpers.emulator import program
from loyalty_helpers.errors import AuthenticationError, PlanError
from loyalty_helpers.records import LoyaltyEvent
from loyalty_helpers.runbooks.plan import Row, check_approval, place_of, read_plan
from loyalty_helpers.runbooks.plan.found import Holdings
from tests.doubles import EVENT
from tests.seed_world import ACCOUNT_ID

from .conftest import SHEET
from .harness import plan_by

HEAD = "phone_number,customer_id,account_id,points,reason\n"


def test_planning_writes_nothing_to_square(world) -> None:
    before = world.balances()
    world.plan()

    assert 0 == world.wire.writes
    assert before == world.balances()


def test_the_plan_shows_balances_with_earlier_rows_of_the_same_account(world) -> None:
    rows = list(world.plan().plan.rows())

    assert [(0, 12), (322, 372), (92, 88), (372, 352)] == [(r.before, r.after) for r in rows]


def test_a_chart_has_each_account_once_before_and_after_the_largest_change_first(world) -> None:
    values = world.plan().balances_chart.spec["data"]["values"]

    assert [(322, 352), (0, 12), (92, 88)] == [(v["before"], v["after"]) for v in values]


def test_a_plan_is_sorted_by_what_it_changes(world) -> None:
    rows = world.plan().sorted_by("change").rows

    assert [-20, -4, 12, 50] == [change for _, _, _, _, change, _, _ in rows]


def test_planning_the_same_again_gives_the_same_digest(world) -> None:
    assert world.plan().plan.digest == world.plan().plan.digest


def test_the_plan_is_one_json_object(world) -> None:
    value = json.loads(world.plan().plan.path.read_text())

    assert [4, 62, -24] == [value["header"][name] for name in ("rows", "added", "taken")]
    assert 4 == len(value["rows"])


def test_a_plan_changed_in_any_byte_is_refused(world) -> None:
    path = world.plan().plan.path
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(PlanError):
            check_approval(read_plan(path), json.loads(whole)["digest"])
    path.write_bytes(whole)

    assert read_plan(path).digest == json.loads(whole)["digest"]


@pytest.mark.parametrize("cut", [1, 50, 200])
def test_a_plan_that_is_not_whole_is_refused(world, cut: int) -> None:
    path = world.plan().plan.path
    path.write_bytes(path.read_bytes()[:-cut])

    with pytest.raises(PlanError, match="not as it was written"):
        read_plan(path)


@pytest.mark.parametrize("approved", ["", "abc", "0" * 64, "0" * 12])
def test_another_digest_is_no_approval(world, approved: str) -> None:
    plan = world.plan().plan

    with pytest.raises(PlanError, match="is not this plan's digest") as caught:
        check_approval(plan, approved)
    assert plan.digest[:4] not in str(caught.value), "the right one is not given away"


def problems(world, rows: str, **options) -> list[str]:
    with pytest.raises(PlanError) as caught:
        world.plan(HEAD + rows, **options)
    return str(caught.value).splitlines()[1:]


def test_nobody_with_this_phone_number(world) -> None:
    [line] = problems(world, "+14155559999,,,1,r\n")

    assert "line 2, phone_number: found ***9999: no loyalty accounts with it" in line
    assert "found by customer_id only" in line


def test_two_accounts_of_one_customer(world) -> None:
    customer = world.client.find_account(phone_number="+14155550160").customer_id
    [line] = problems(world, f",{customer},,1,r\n")

    assert "2 loyalty accounts with it; allowed: exactly one account; name one of them" in line


def test_a_phone_number_and_an_id_that_disagree(world) -> None:
    other = world.client.find_account(phone_number="+14155550103").id
    [line] = problems(world, f"+14155550101,,{other},1,r\n")

    assert "it is not that of the account_id" in line


def test_a_phone_number_and_an_id_that_agree(world) -> None:
    account = world.client.find_account(phone_number="+14155550101").id

    assert 1 == world.plan(f"{HEAD}+14155550101,,{account},1,r\n").plan.header.rows


def test_two_names_of_one_account_are_two_rows_of_it(world) -> None:
    account = world.client.find_account(phone_number="+14155550101").id
    plan = world.plan(f"{HEAD}+14155550101,,,1,r\n,,{account},2,r\n").plan

    assert (2, 1) == (plan.header.rows, plan.header.accounts)


def test_the_same_row_twice_is_refused(world) -> None:
    [line] = problems(world, "+14155550101,,,1,r\n+14155550101,,,1,r\n")

    assert "line 3: found the same as line 2" in line


def test_the_same_row_twice_with_row_ids_of_their_own_is_meant(world) -> None:
    sheet = "row_id,phone_number,points,reason\nx,+14155550101,1,r\ny,+14155550101,1,r\n"

    assert 2 == world.plan(sheet).plan.header.rows


def test_a_row_id_twice_is_refused(world) -> None:
    sheet = "row_id,phone_number,points,reason\nx,+14155550101,1,r\nx,+14155550103,1,r\n"
    with pytest.raises(PlanError, match="'x' again; allowed: each row_id once"):
        world.plan(sheet)


def test_a_balance_that_would_fall_below_zero(world) -> None:
    [line] = problems(world, "+14155551234,,,-1,r\n")

    assert "balance 0, change -1 makes -1" in line
    assert world.plan(HEAD + "+14155551234,,,-1,r\n", allow_negative_balance=True)


def test_more_rows_than_allowed(world) -> None:
    lines = problems(world, "+14155551234,,,1,a\n+14155551234,,,1,b\n", max_rows=1)

    assert ["the file: found 2 rows; allowed: up to max_rows (1)"] == lines


def test_all_problems_are_told_at_once_and_kept_in_a_file(world) -> None:
    lines = problems(world, "".join(f"+1415555{n},,,0,r\n" for n in range(2000, 2060)))

    assert 51 == len(lines)
    assert "10 more" in lines[-1]
    assert 61 == len((world.folder / "runs" / "run" / "problems.csv").read_text().splitlines())


def test_a_program_that_is_not_active_stops_the_plan(world) -> None:
    world.emulator.set_program(program(status="INACTIVE"))

    with pytest.raises(AuthenticationError, match="MERCHANT_SUBSCRIPTION_NOT_FOUND"):
        world.plan()


def test_a_run_id_that_was_applied_is_not_planned_again(world) -> None:
    world.apply(world.plan())

    with pytest.raises(PlanError, match="take a new run id"):
        world.plan()


@pytest.mark.parametrize(
    ("separator", "told"),
    [
        (",", "from sheet.csv\n"),
        (";", "from sheet.csv, separated by semicolons\n"),
        ("\t", "from sheet.csv, separated by tabs\n"),
    ],
)
def test_the_plan_tells_its_file_and_what_separates_its_columns(world, separator, told) -> None:
    assert told in str(world.plan(SHEET.replace(",", separator)))


SWALLOWED = {
    "the last column": 'row_id,account_id,points,reason\na,{0},12,"Late\nb,{0},50,Late"\n',
    "several rows": 'account_id,points,reason\n{0},1,"Late\n{0},2,Late\n{0},3,Late"\n',
    "the first column": 'reason,account_id,points\n"Late,{0},12\nLate",{0},50\n',
    "a column in between": 'points,reason,account_id\n12,"Late,{0}\n50,Late",{0}\n',
    "semicolons": 'account_id;points;reason\n{0};1;"Late\n{0};2;Late"\n',
    "an empty column behind": 'account_id,points,reason,\n{0},1,"Late,\n{0},2,Late",\n',
}


@pytest.mark.parametrize("content", SWALLOWED.values(), ids=SWALLOWED)
def test_two_stray_quotes_that_swallow_rows_are_told(world, refused, content: str) -> None:
    told = refused(PlanError, lambda: world.plan(content.format(ACCOUNT_ID)))

    assert "line 2" in told
    assert "a line break beside what looks like a row" in told


def test_a_row_in_a_column_that_is_left_out_is_told_too(world, refused) -> None:
    content = f'account_id,points,reason,memo\n{ACCOUNT_ID},1,Late,"x\n{ACCOUNT_ID},2,Late,y"\n'

    assert "looks like a row" in refused(PlanError, lambda: world.plan(content, columns="memo=-"))


@pytest.mark.parametrize(
    "reason", ["Late order\nTicket 4711", "Late,\nas often, sorry", "Late\n5, 6 and 7", "5\n6\n7"]
)
def test_a_reason_of_several_lines_is_no_row(world, reason: str) -> None:
    [row] = world.plan(f'account_id,points,reason\n{ACCOUNT_ID},1,"{reason}"\n').plan.rows()

    assert row.reason == reason


def test_what_is_planned_and_what_is_hashed_are_the_same_bytes(world) -> None:
    """The file is written anew as soon as anything is asked of the service."""
    real, sheet = world.wire.handle_request, world.folder / "sheet.csv"

    def meanwhile(request):
        sheet.write_text(SHEET.replace("50", "500"))
        return real(request)

    world.wire.handle_request = meanwhile
    plan = world.plan().plan

    assert plan.header.source_sha256 == hashlib.sha256(SHEET.encode()).hexdigest()
    assert [12, 50, -4, -20] == [row.points for row in plan.rows()]


def test_a_file_that_is_written_to_while_it_is_read_is_told(world, refused) -> None:
    sheet, stop = world.folder / "sheet.csv", threading.Event()
    sheet.write_text(SHEET + "\n" * 20_000_000)

    def write() -> None:
        with sheet.open("a") as file:
            while not stop.is_set():
                file.write("\n")
                file.flush()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        told = refused(
            PlanError, lambda: plan_by(world.client, "plan_file", str(sheet), run_id="run")
        )
    finally:
        stop.set()
        writer.join()
    assert "it changed while it was read" in told


def test_two_row_ids_that_look_the_same_are_the_same(world, refused) -> None:
    """An e with its accent as one character, and as two."""
    rows = f"caf\u00e9,{ACCOUNT_ID},1,r\ncafe\u0301,{ACCOUNT_ID},2,r\n"
    content = "row_id,account_id,points,reason\n" + rows

    assert "again; allowed: each row_id once" in refused(PlanError, lambda: world.plan(content))


@pytest.mark.parametrize("name", ["caf\u00e9", "cafe\u0301"])
def test_a_row_id_has_one_mark_however_it_is_written(world, name: str) -> None:
    plan = world.plan(f"row_id,account_id,points,reason\n{name},{ACCOUNT_ID},1,r\n").plan
    [row] = plan.rows()

    assert row.row_id == "caf\u00e9"


LONG = "/".join(["a" * 200] * 25)


@pytest.mark.parametrize("runs", ["a" * 300, LONG, "taken", "taken/below"])
def test_a_folder_that_cannot_be_is_a_refusal_of_one_line(
    world, monkeypatch, refused, runs: str
) -> None:
    (world.folder / "taken").write_text("")
    monkeypatch.setenv("LOYALTY_RUNS", str(world.folder / runs))
    one = {"run_id": "one", "points": 1, "reason": "r", "account_id": ACCOUNT_ID}
    steps = [
        world.plan,
        lambda: plan_by(world.client, "plan_one", **one),
        lambda: plan_by(world.client, "plan_one", **one, dry_run=False),
        lambda: plan_by(world.client, "plan_undo", "no-such-run", run_id="undo"),
        lambda: runbooks.reconcile(world.client, run_id="audit"),
        lambda: runbooks.compare_run(world.client, "no-such-run"),
    ]

    assert {0} == {refused(PlanError, step).count("\n") for step in steps}
    assert world.wire.writes == 0


def test_a_plan_that_cannot_be_written_is_a_refusal(world, refused) -> None:
    (world.folder / "runs" / "run" / "plan.json").mkdir(parents=True)

    told = refused(PlanError, world.plan)

    assert told.endswith("runs/run cannot be written: Is a directory. Nothing was changed.")


def test_a_row_that_was_changed_since_its_plan_was_read_is_refused(world) -> None:
    plan = world.plan().plan
    plan.path.write_bytes(plan.path.read_bytes().replace(b'"points":', b'"pints":'))

    with pytest.raises(PlanError, match="not as it was written"):
        list(plan.rows())


def test_of_a_long_ledger_only_what_says_something_of_a_row_is_kept(world) -> None:
    """An event with its mark, one that it undoes, and those of as many points, up or down."""
    mark, theirs = "a" * 16, "another-account"
    row = Row(account_id=ACCOUNT_ID, points=-5, reason="r", marker=mark, undoes="e0")
    events = [
        event("e0", theirs, 1),
        event("e1", theirs, 2, f"r [lr1:{mark}]"),
        event("e2", ACCOUNT_ID, 5),
        event("e3", ACCOUNT_ID, -5),
        event("e4", theirs, 5),
        event("e5", ACCOUNT_ID, 4),
    ]
    holdings = Holdings([row], place_of(world.client), None, events)

    assert ["e0", "e1", "e2", "e3"] == list(holdings.contents)


def event(event_id: str, account_id: str, points: int, reason: str = "r") -> LoyaltyEvent:
    detail = {"points": points, "reason": reason}
    body = EVENT | {"id": event_id, "loyalty_account_id": account_id, "adjust_points": detail}
    return LoyaltyEvent.model_validate(body)


def test_a_file_whose_name_is_too_long_is_one_problem(world, refused) -> None:
    long = "a" * 300
    told = refused(PlanError, lambda: plan_by(world.client, "plan_file", long, run_id="run"))

    assert "an error: File name too long" in told


def named(world, sheet: str) -> list[tuple[int, str, str, str]]:
    with pytest.raises(PlanError) as caught:
        world.plan("row_id,phone_number,account_id,points,reason\n" + sheet)
    return [(p.line, p.row_id, p.column, p.buyer) for p in caught.value.problems]


def test_the_error_holds_every_problem_with_its_row_and_its_buyer(world) -> None:
    found = named(world, "a,+14155551234,,1.5,Late\nb,,other,0,Late\n")

    assert [(2, "a", "points", "***1234"), (3, "b", "points", "other")] == found


def test_a_number_in_a_column_of_ids_is_masked_though_it_has_no_plus(world) -> None:
    found = named(world, "a,,14155550199,0,Late\n")

    assert {"***0199"} == {buyer for *_, buyer in found}


def test_a_buyer_without_an_account_is_held_in_the_same_way(world) -> None:
    found = named(world, "a,+1 (415) 555-0199,,5,Late\n")

    assert [(2, "a", "phone_number", "***0199")] == found
