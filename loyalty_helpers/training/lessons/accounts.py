"""Lesson 1: find the right account, and only that one."""

from itertools import islice

from loyalty_helpers.training.exercise import Exercise, Mistake, stamp_on, stamped
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan

ANA, BEN = "b27979bd-0d75-4fe5-af71-39c3f73cbd9e", "b111e103-9690-4a33-88ed-f38dbcd9eb8f"
CLEO = "9e146eab-f1a8-47a9-a283-0806d7df4581"
CLEO_PROFILE = "HWBCKHTKRUHFJSNBURNW4GUDIE"
DINA, DINAS_OTHER = "8176897e-30e0-40e1-bafc-9f25b543be1b", "5df4ba1d-c46b-466e-8074-ca3e4fe34f8c"
DINA_PROFILE = "4YZDTUDC3JNIAISY3IJILOOWLA"
FIRST, NEWEST = "1beb38f9-54de-4cb6-8121-718bDexample", "bca97c36-c719-4bae-98db-f699842f815d"
END_OF_PAGE = "e73bbc15-d0ac-49b6-8d7f-c330735c30db"


def _placement(lesson: Lesson) -> None:
    client = lesson.client
    known = client.find_account(phone_number="+14155550160")
    both = client.search_accounts(customer_ids=[known.customer_id or ""])
    [other] = [account for account in both if account.id != known.id]
    lesson.stamp("placement", other)


def _phone(lesson: Lesson) -> None:
    ana = lesson.client.find_account(phone_number="+12125550142")
    lesson.stamp("phone", ana)


def _no_phone(lesson: Lesson) -> None:
    cleo = lesson.client.find_account(customer_id="HWBCKHTKRUHFJSNBURNW4GUDIE")
    lesson.stamp("no_phone", cleo)


def _several(lesson: Lesson) -> None:
    both = lesson.client.search_accounts(customer_ids=["4YZDTUDC3JNIAISY3IJILOOWLA"])
    [dina] = [account for account in both if account.masked_phone_number == "***0160"]
    lesson.stamp("several", dina)


def _newest(lesson: Lesson) -> None:
    *_, newest = lesson.client.search_accounts(page_size=200)
    lesson.stamp("newest", newest)


def _end_of_page(lesson: Lesson) -> None:
    *_, last = islice(lesson.client.search_accounts(), 30)
    lesson.stamp("newest", last)


EXERCISES = (
    Exercise(
        "placement",
        task="The profile behind +14155550160 has a second account: stamp that one.",
        ours=stamped("placement"),
        right=stamp_on(DINAS_OTHER),
        expected="the stamp on the other account of the same profile",
        look="the customer_id of the account that the phone number leads to",
        solve=_placement,
        mistakes={
            "the one that was known": Mistake(
                lambda it: it.stamp("placement", DINA),
                stamp_on(DINA),
                "This is the account with the phone number itself. Its customer_id leads to both.",
            )
        },
        hints=(
            "The phone number leads to one account, and an account names a profile.",
            "search_accounts(customer_ids=[...]) gives every account of a profile.",
        ),
    ),
    Exercise(
        "phone",
        task="Ana writes: my number is (212) 555-0142. Stamp her account.",
        ours=stamped("phone"),
        right=stamp_on(ANA),
        expected="the stamp on the account with the whole number, area code included",
        look="the number in E.164: a plus, 1 for the USA, then all ten digits",
        solve=_phone,
        mistakes={
            "lookalike": Mistake(
                lambda it: it.stamp("phone", BEN),
                stamp_on(BEN),
                "This account ends in 0142 as well, but its area code is 415. That is Ben's: "
                "four digits never tell who somebody is.",
            )
        },
        hints=(
            "Square takes numbers in E.164 only: no brackets, no spaces, no hyphens.",
            'find_account(phone_number="+1212...") with all ten digits after the 1.',
        ),
    ),
    Exercise(
        "no_phone",
        task="Cleo gave no phone number, but her receipt names the profile "
        f"{CLEO_PROFILE}. Stamp her account.",
        ours=stamped("no_phone"),
        right=stamp_on(CLEO),
        expected="the stamp on the account of that profile",
        look="find_account takes a customer_id in place of a phone number",
        solve=_no_phone,
        mistakes={
            "the first of all": Mistake(
                lambda it: it.stamp("no_phone", next(iter(it.client.search_accounts()))),
                stamp_on(FIRST),
                "This is the first account of the whole program: a search without a query "
                "finds everybody, not nobody.",
            )
        },
        hints=(
            "No search by phone can find her. What else do you have of her?",
            f'find_account(customer_id="{CLEO_PROFILE}")',
        ),
    ),
    Exercise(
        "several",
        task=f"Dina's profile {DINA_PROFILE} has two accounts. She uses the one whose number ends "
        "in 0160: stamp it.",
        ours=stamped("several"),
        right=stamp_on(DINA),
        expected="the stamp on the one of the two that she named",
        look="masked_phone_number of each account that the search gives",
        solve=_several,
        mistakes={
            "the other one": Mistake(
                lambda it: it.stamp("several", DINAS_OTHER),
                stamp_on(DINAS_OTHER),
                "Same profile, but the number of this account ends in 0161.",
            )
        },
        hints=(
            "find_account refuses to choose. search_accounts lists both.",
            'Go through the list, and keep the account whose masked_phone_number is "***0160".',
        ),
    ),
    Exercise(
        "newest",
        task="Stamp the newest account of the whole program.",
        ours=stamped("newest"),
        right=stamp_on(NEWEST),
        expected="the stamp on the last account of the last page",
        look="created_at, and how many accounts there are after the first 30",
        solve=_newest,
        mistakes={
            "end of the first page": Mistake(
                _end_of_page,
                stamp_on(END_OF_PAGE),
                "This is the last account of the first page. After 30 accounts there are more: "
                "the answer has a cursor as long as there is another page.",
            ),
            "the oldest": Mistake(
                lambda it: it.stamp("newest", next(iter(it.client.search_accounts()))),
                stamp_on(FIRST),
                "Accounts come the oldest first, so the first one is the oldest.",
            ),
        },
        hints=(
            "Accounts come the oldest first: the newest is at the very end.",
            "search_accounts goes on to the next page by itself as long as you go on reading it.",
            "list(client.search_accounts())[-1]",
        ),
    ),
)
PLAN = Plan("Find the right account, and only that one", 15, EXERCISES)
