"""What a learner's lesson remembers, says and refuses."""

import json
import shutil
import stat
from pathlib import Path

import pytest

from loyalty_helpers import training
from loyalty_helpers.emulator import Emulator
from loyalty_helpers.errors import LoyaltyError, ParameterError, SettingsError

ANA, BEN = "+12125550142", "+14155550142"
GUS = "+12065551000"


def known(exercise, lesson="01_accounts"):
    file = training.training_folder() / "progress.json"
    return json.loads(file.read_text())["lessons"][lesson][exercise]


def give(lesson, points, *, key, reason="Ticket 201"):
    gus = lesson.client.find_account(phone_number=GUS)
    lesson.client.adjust_points(gus.id, points, reason=reason, idempotency_key=key)


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_a_lesson_refuses_what_is_not_on_this_machine(begin, environment):
    with pytest.raises(SettingsError, match=f"does not run in '{environment}'.*'local'"):
        begin(environment=environment)


@pytest.mark.parametrize("environment", ["sandbox", "production"])
def test_the_variable_of_the_environment_is_refused_as_well(begin, environment, monkeypatch):
    monkeypatch.setenv("LOYALTY_ENVIRONMENT", environment)
    with pytest.raises(SettingsError, match="does not run in"):
        begin(environment="")


def test_a_lesson_that_there_is_not_is_told_with_those_that_there_are(begin):
    with pytest.raises(ParameterError, match="no lesson '99'; there are 01_accounts, "):
        begin("99")


def test_an_exercise_that_there_is_not_is_told_with_those_that_there_are(begin):
    with pytest.raises(ParameterError, match="no exercise 'x'; there are placement, phone"):
        begin().check("x")


def test_the_emulator_of_local_is_left_alone(begin, tmp_path):
    lesson = begin()
    lesson.stamp("phone", lesson.client.find_account(phone_number=ANA))

    assert not Path(tmp_path, "home", "emulator.sqlite3").exists()


def test_files_of_a_learner_are_for_nobody_else(begin):
    begin()
    files = [path for path in training.training_folder().rglob("*") if path.is_file()]

    assert files
    assert [] == [p.name for p in files if stat.S_IMODE(p.stat().st_mode) & 0o077]


def test_what_was_passed_is_passed_in_the_next_kernel(begin):
    first = begin()
    first.stamp("phone", first.client.find_account(phone_number=ANA))
    first.world.close()

    assert ["phone"] == begin().passed


def test_the_same_stamp_again_is_no_new_event(begin):
    lesson = begin()
    ana = lesson.client.find_account(phone_number=ANA)
    lesson.stamp("phone", ana)

    assert "as before" in str(lesson.stamp("phone", ana.id))
    assert 1 == len(lesson.world.events())


def test_the_last_stamp_counts(begin):
    lesson = begin()
    for number in (ANA, BEN):
        lesson.stamp("phone", lesson.client.find_account(phone_number=number))

    assert str(lesson.check("phone")).startswith("phone: wrong")


def test_an_answer_in_a_variable_is_not_attempted(begin):
    lesson = begin()
    ana = lesson.client.find_account(phone_number=ANA)
    lesson.passed_exercises = {"phone": ana}

    assert str(lesson.check("phone")).startswith("phone: not attempted")


def test_a_check_of_nothing_is_no_try(begin):
    begin().check("phone")

    assert {} == json.loads((training.training_folder() / "progress.json").read_text())["lessons"]


def test_tries_mistakes_and_event_ids_are_kept(begin):
    lesson = begin()
    for number in (BEN, ANA):
        lesson.stamp("phone", lesson.client.find_account(phone_number=number))
        lesson.check("phone")
    [_, last] = lesson.world.events()

    kept = known("phone")
    assert (2, True, ["lookalike"], [last.id]) == (
        *(kept["tries"], kept["passed"], kept["mistakes"]),
        kept["events"],
    )


def test_a_check_without_anything_new_is_no_new_try(begin):
    lesson = begin()
    lesson.stamp("phone", lesson.client.find_account(phone_number=BEN))
    lesson.check("phone")
    lesson.check("phone")

    assert 1 == known("phone")["tries"]


def test_double_credits_on_the_way_are_kept_when_they_were_put_right(begin):
    lesson = begin("02_adjusting")
    give(lesson, 25, key="one")
    give(lesson, 25, key="two")
    give(lesson, -25, key="back")

    assert str(lesson.check("give")).startswith("give: passed")
    assert 1 == known("give", "02_adjusting")["doubled"]


def test_a_wrong_answer_that_nobody_foresaw_tells_what_was_seen(begin):
    lesson = begin("02_adjusting")
    give(lesson, 7, key="seven")
    told = str(lesson.check("give"))

    assert "+7 points on account 0c421cfd-124f-403b-b20f-46a0da9fcd09" in told
    assert "expected  +25 in one event" in told
    assert "none of the mistakes known here" in told


def test_points_on_an_account_that_nobody_asked_about_are_told(begin):
    lesson = begin("02_adjusting")
    stranger = lesson.client.find_account(phone_number="+14155550101")
    lesson.client.adjust_points(stranger.id, 25, reason="Ticket 201", idempotency_key="k")

    assert f"seen elsewhere  +25 points on account {stranger.id}" in str(lesson.check("give"))


def test_hints_come_one_after_the_other_and_are_counted(begin):
    lesson = begin()
    told = [str(lesson.hint("phone")) for _ in range(3)]

    assert told[0] != told[1] == told[2]
    assert "no more hints" in told[1]
    assert 3 == known("phone")["hints"]


def test_a_solution_before_passing_is_marked(begin):
    lesson = begin()

    assert "looked at before passing" in str(lesson.solution("phone"))
    assert "before passing" == known("phone")["solution"]


def test_a_solution_after_passing_is_not_marked(begin):
    lesson = begin()
    lesson.stamp("phone", lesson.client.find_account(phone_number=ANA))
    lesson.check("phone")

    assert "before passing" not in str(lesson.solution("phone"))
    assert "solution" not in known("phone")


def test_reset_brings_the_world_back_and_keeps_what_was_tried(begin):
    lesson = begin()
    before = [account.balance for account in lesson.client.search_accounts()]
    lesson.stamp("phone", lesson.client.find_account(phone_number=ANA))
    lesson.check("phone")
    lesson.reset()

    assert before == [account.balance for account in lesson.client.search_accounts()]
    assert (1, False) == (known("phone")["tries"], known("phone")["passed"])


def test_what_is_done_again_after_a_reset_is_passed_again(begin):
    """The same requests make the same events, and still it is a new try."""
    lesson = begin("02_adjusting")
    for tries in (1, 2):
        give(lesson, 25, key="ticket-201")
        lesson.check("give")
        kept = known("give", "02_adjusting")
        assert (True, tries) == (kept["passed"], kept["tries"])
        lesson.reset()


def test_nobody_has_to_pass_the_placement_exercise(begin):
    lesson = begin()
    for exercise in lesson.plan.exercises[1:]:
        exercise.solve(lesson)

    assert "nothing: this lesson is done" in str(lesson)


def test_a_setup_that_was_cut_off_is_made_anew(begin):
    lesson = begin("03_ledger")
    whole = [event.id for event in lesson.client.search_events()]
    lesson.world.close()
    (lesson.world.folder / "requests.jsonl").unlink()

    assert whole == [event.id for event in begin("03_ledger").client.search_events()]


def test_the_notebook_of_another_checker_is_told_and_goes_on(begin):
    lesson = begin(made_for="00000000")

    assert "another version of its checker" in str(lesson)
    assert str(lesson.check("phone")).startswith("phone: not attempted")


def test_a_state_file_that_cannot_be_read_is_told_with_the_way_out(begin):
    begin().world.close()
    (training.training_folder() / "progress.json").write_text("{")

    with pytest.raises(LoyaltyError, match=r"progress.json cannot be read.*training reset"):
        begin()


def test_a_recorded_lesson_leaves_the_learner_nothing(begin):
    lesson = begin(environment="recorded")
    lesson.stamp("phone", lesson.client.find_account(phone_number=ANA))

    assert not training.training_folder().exists()
    shutil.rmtree(lesson.progress.folder)


def test_trouble_that_there_is_not_is_told(begin):
    with pytest.raises(ParameterError, match="no such trouble: no fault 'thunder'"):
        begin().trouble("thunder")


def test_the_clock_does_not_go_back(begin):
    with pytest.raises(ParameterError, match="found -1 days; allowed: 0 or more"):
        begin().turn(-1)


def test_a_turned_clock_stays_turned_in_the_next_kernel(begin):
    lesson = begin()
    lesson.turn(30)
    lesson.world.close()
    again = begin()
    again.stamp("phone", again.client.find_account(phone_number=ANA))

    assert "2026-12-02" == f"{again.world.events()[0].created_at:%Y-%m-%d}"


def test_a_learners_world_is_an_emulator_like_any_other(begin):
    lesson = begin()
    lesson.world.close()

    Emulator.open(lesson.world.folder / "emulator.sqlite3").close()
