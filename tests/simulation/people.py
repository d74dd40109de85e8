"""People who plan, approve, apply, repeat, edit, interrupt, undo, and mix things up."""

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import httpx

from loyalty_helpers import runbooks
from loyalty_helpers.api import LoyaltyClient
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.errors import LoyaltyError, PlanError, RunStoppedError, SquareError
from loyalty_helpers.runbooks.plan import read_plan
from loyalty_helpers.runbooks.views import Planned
from tests.doubles import make_client
from tests.runbooks.harness import plan_by, run_of

from .model import Judge
from .place import FOR_A_PERSON, LIMITS, MISHAPS, Hours, Machine

DAY = 24 * 3600.0
REASONS = ("Late order", "Wrong drink", "Birthday", "Closed by mistake")
REFUSALS = (PlanError, LoyaltyError)


@dataclass
class Run:
    """What somebody remembers of a run: where it was planned, of what, and the approved digest."""

    machine: Machine
    run_id: str
    sheet: str = ""
    digest: str = ""
    planned: Planned | None = None
    repeats: bool = False
    ended: bool = False


@dataclass
class Office:
    """Everybody who works for one seller."""

    emulator: Emulator
    hours: Hours
    machines: list[Machine]
    judge: Judge
    dice: random.Random
    rows: int
    buyers: list[str]
    runs: list[Run] = field(default_factory=list)
    review: int = 0
    unheard: int = 0  # mishaps after which only a person can tell what became of a row
    count: int = 0
    done: dict[str, int] = field(default_factory=dict)

    def work(self, operations: int) -> None:
        """So many operations, each of them judged."""
        for _ in range(operations):
            act = self.dice.choices(list(ACTS), weights=list(ACTS.values()))[0]
            before = len(self.judge.broken)
            act(self)
            self.hours.pass_by(self.dice.choice((60.0, 3600.0, DAY)))
            self.judge.look()
            self.done[act.__name__] = self.done.get(act.__name__, 0) + 1
            assert len(self.judge.broken) == before, (act.__name__, self.judge.broken)

    def end(self) -> None:
        """Everything that was begun is brought to its end, without further mishaps."""
        for run in self.runs:
            if run.planned is not None and not run.ended:
                self._apply(run, luck=1.0)
        assert not self.judge.broken

    # What people do

    def new_file(self) -> None:
        run = Run(self._machine(), self._run_id(), self._sheet())
        self.runs.append(run)
        self._plan(run)
        self._apply(run)

    def resume(self) -> None:
        if run := self._any(lambda run: run.planned is not None):
            self._apply(run)

    def same_file_under_another_run_id(self) -> None:
        if old := self._any(lambda run: bool(run.sheet)):
            run = Run(self._machine(), self._run_id(), old.sheet)
            run.repeats = self.dice.random() < 0.3
            self.runs.append(run)
            self._plan(run)
            self._apply(run)

    def row_added_on_top(self) -> None:
        if old := self._any(lambda run: bool(run.sheet)):
            head, _, rest = old.sheet.partition("\n")
            run = Run(self._machine(), self._run_id(), f"{head}\n{self._row()}\n{rest}")
            self.runs.append(run)
            self._plan(run)
            self._apply(run)

    def other_file_under_a_used_run_id(self) -> None:
        if run := self._any(lambda run: run.planned is not None and bool(run.sheet)):
            other = Run(run.machine, run.run_id, self._sheet(), run.digest)
            with run.machine.at():
                self._refused(lambda: self._planned(other, approved_plan=other.digest))

    def lost_folder(self) -> None:
        """The folder is gone, Square has forgotten the keys, and somebody plans it elsewhere."""
        if run := self._any(lambda run: run.planned is not None and bool(run.sheet)):
            shutil.rmtree(run.machine.runs / run.run_id, ignore_errors=True)
            self.hours.pass_by(3 * DAY)
            self.emulator.forget_keys()
            run.machine, run.planned, run.ended = self._machine(), None, False
            self._plan(run)
            self._apply(run)

    def copied_folder(self) -> None:
        """Two machines have the same run, and do not know of each other."""
        if run := self._any(lambda run: run.planned is not None):
            target = self._machine()
            if target is not run.machine and not (target.runs / run.run_id).exists():
                shutil.copytree(run.machine.runs / run.run_id, target.runs / run.run_id)
                with target.at():
                    self._adopt(Run(target, run.run_id, run.sheet, run.digest, run.planned))

    def one_buyer(self) -> None:
        run = Run(self._machine(), self._run_id())
        self._one(run, self.dice.choice(self.buyers), self.dice.randint(1, 9))

    def another_buyer_under_a_used_run_id(self) -> None:
        run = Run(self._machine(), self._run_id())
        buyer, other = self.dice.sample(self.buyers, 2)
        self._one(run, buyer, 5, allow_repeats=True)
        with run.machine.at():
            self._refused(lambda: self._wish(run, other, 5, allow_repeats=True))

    def undo(self) -> None:
        if old := self._any(lambda run: run.planned is not None):
            run = Run(old.machine, self._run_id())
            with old.machine.at():
                options = {"run_id": run.run_id, "allow_partial": True}
                self._try(
                    run, lambda: plan_by(run.machine.client, "plan_undo", old.run_id, **options)
                )
            self._apply(run)

    def edited_plan(self) -> None:
        if run := self._any(lambda run: run.planned is not None):
            path = run.planned.plan.path
            whole = path.read_bytes()
            path.write_bytes(whole.replace(b'"points":', b'"points":9', 1))
            if path.read_bytes() != whole:
                self._refused(lambda: self._send(run))
            path.write_bytes(whole)

    def wrong_environment(self) -> None:
        if run := self._any(lambda run: run.planned is not None):
            client = make_client(run.machine, environment="sandbox")
            with run.machine.at():
                self._refused(lambda: self._at_hand(run, client).apply())

    def purchase(self) -> None:
        points = self.dice.choice((-3, 4, 11))
        client = self.machines[0].client
        key = f"hand-{self.count}"
        self.count += 1
        try:
            self.judge.by_hand(
                client.adjust_points(
                    self.dice.choice(self.buyers), points, reason=key, idempotency_key=key
                )
            )
        except SquareError:
            return  # a balance that does not reach

    # How they do it

    def _machine(self) -> Machine:
        machine = self.dice.choice(self.machines)
        machine.off = self.dice.choice((0.0, 0.0, 0.0, -5400.0, 5400.0))
        return machine

    def _run_id(self) -> str:
        self.count += 1
        return f"run-{self.count}"

    def _row(self) -> str:
        points = self.dice.choice((1, 2, 3, 5, 8, -1))
        reason = f"{self.dice.choice(REASONS)} {self.dice.randint(1, 99)}"
        return f"{self.dice.choice(self.buyers)},{points},{reason}"

    def _sheet(self) -> str:
        rows = dict.fromkeys(self._row() for _ in range(self.dice.randint(1, self.rows)))
        return "\n".join(["account_id,points,reason", *rows]) + "\n"

    def _any(self, fits: Callable[[Run], bool]) -> Run | None:
        some = [run for run in self.runs[-40:] if fits(run)]
        return self.dice.choice(some) if some else None

    def _one(self, run: Run, buyer: str, points: int, **options: bool) -> None:
        with run.machine.at():
            self._try(run, lambda: self._wish(run, buyer, points, **options))
        self._apply(run)

    def _wish(self, run: Run, buyer: str, points: int, **options: bool) -> Planned:
        wish = {"run_id": run.run_id, "points": points, "reason": self.dice.choice(REASONS)}
        return plan_by(
            run.machine.client, "plan_one", account_id=buyer, dry_run=False, **wish, **options
        )

    def _plan(self, run: Run) -> None:
        with run.machine.at():
            self._try(run, lambda: self._planned(run, allow_repeats=run.repeats))

    def _planned(self, run: Run, **options: object) -> Planned:
        path = run.machine.runs.parent / f"{run.machine.runs.name}.csv"
        Path(path).write_text(run.sheet)
        return plan_by(run.machine.client, "plan_file", str(path), run_id=run.run_id, **options)

    def _try(self, run: Run, plan: Callable[[], Planned]) -> None:
        try:
            run.planned = plan()
        except REFUSALS:
            return
        self._adopt(run)

    def _adopt(self, run: Run) -> None:
        if run.planned is not None:
            digest = run.planned.plan.digest
            run.digest = digest
            path = run.machine.runs / run.run_id / "plan.json"
            run.planned = replace(run.planned, plan=replace(run.planned.plan, path=path))
            self.judge.approved(run.planned.plan)
            if run not in self.runs:
                self.runs.append(run)

    def _refused(self, command: Callable[[], object]) -> None:
        """It is refused, and nothing is sent."""
        self.judge.look()
        try:
            command()
        except LoyaltyError:
            return
        self.judge.broken.append("it should have been refused")

    def _send(self, run: Run) -> None:
        with run.machine.at():
            self._at_hand(run).apply()

    def _at_hand(self, run: Run, client: LoyaltyClient | None = None) -> runbooks.Run:
        """The run as it is taken up by somebody who has its digest."""
        approval = {"approved_plan": run.digest, "limits": LIMITS, "time": run.machine.time}
        return run_of(client or run.machine.client, run.planned, **approval)

    def _apply(self, run: Run, luck: float = 0.5) -> None:
        """Apply, and resume until it ends; something may happen on the way."""
        if run.planned is None:
            return
        if self.dice.random() > luck:
            act = self.dice.choice((*MISHAPS, partial(self._worked_elsewhere, run)))
            self.unheard += act in FOR_A_PERSON
            run.machine.mishap(act(run.machine), self.dice.randint(0, self.rows // 2))
        for _ in range(6):
            try:
                self._send(run)
                break
            except RunStoppedError:
                if self.dice.random() > luck:
                    return  # somebody else goes on with it, or nobody
        with run.machine.at():
            verified = self._at_hand(run).verify()
        self.judge.look()
        states = self.judge.told(run.planned.plan, success=verified.ok)
        self.review += states.get("REVIEW", 0) if not run.ended else 0
        run.ended = verified.ok or not set(states) & {"PLANNED", "SENT", "UNKNOWN"}

    def _worked_elsewhere(self, run: Run, machine: Machine) -> Callable[..., httpx.Response]:
        """The machine sleeps during a request, and somebody applies the plan elsewhere."""

        def act(request: httpx.Request) -> httpx.Response:
            other = next(each for each in self.machines if each is not machine)
            target = other.runs / run.run_id
            if not target.exists() and run.planned is not None:
                target.mkdir(parents=True)
                shutil.copy(run.planned.plan.path, target)
                copy = read_plan(target / "plan.json")
                with other.at(), suppress(RunStoppedError):
                    options = {"approved_plan": run.digest, "limits": LIMITS, "time": other.time}
                    run_of(other.client, Planned(copy), **options).apply()
            answer = machine.passed_on(request)
            self.hours.pass_by(3 * 3600)
            return answer

        return act


ACTS = {
    Office.new_file: 30,
    Office.resume: 12,
    Office.same_file_under_another_run_id: 10,
    Office.row_added_on_top: 6,
    Office.other_file_under_a_used_run_id: 4,
    Office.lost_folder: 4,
    Office.copied_folder: 4,
    Office.one_buyer: 8,
    Office.another_buyer_under_a_used_run_id: 4,
    Office.undo: 8,
    Office.edited_plan: 3,
    Office.wrong_environment: 3,
    Office.purchase: 4,
}
