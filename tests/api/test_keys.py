"""The key names the intent: run and account, nothing else."""

import pytest

from loyalty_helpers import adjustment_key
from loyalty_helpers.api.keys import check_run_id
from loyalty_helpers.errors import ParameterError
from tests.doubles import ACCOUNT_ID


def test_the_same_intent_has_the_same_key_for_ever():
    key = "ln1-1fce3deca5605a5887e64314d2fe53498a6517e2"

    assert key == adjustment_key("2026-11-late-orders", ACCOUNT_ID)


@pytest.mark.parametrize(
    "intent", [("2026-12-late-orders", ACCOUNT_ID), ("2026-11-late-orders", "another")]
)
def test_another_run_or_account_has_another_key(intent):
    assert adjustment_key("2026-11-late-orders", ACCOUNT_ID) != adjustment_key(*intent)


def test_run_and_account_cannot_run_into_each_other():
    assert adjustment_key("a", "b-c") != adjustment_key("a-b", "c")


def test_a_key_is_short_and_plain():
    key = adjustment_key("a" * 64, "x" * 36)

    assert (44, True) == (len(key), key.isascii())


@pytest.mark.parametrize("run_id", ["a", "0", "2026-11-late-orders", "a.b_c-d", "x" * 64])
def test_a_plain_run_id_passes(run_id):
    assert run_id == check_run_id(run_id)


@pytest.mark.parametrize(
    "run_id",
    ["", "A", "-a", ".hidden", "../up", "a/b", "a b", "a|b", "x" * 65, "a\n", "é", "{x}", None, 7],
)
def test_a_run_id_that_could_leave_its_folder_is_refused(run_id):
    with pytest.raises(ParameterError, match=r"run_id .* is not allowed: 1 to 64 of a-z"):
        adjustment_key(run_id, ACCOUNT_ID)
