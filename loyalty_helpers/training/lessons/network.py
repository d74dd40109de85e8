"""Lesson 5: when the network lies, the same key is what keeps a credit from counting twice."""

from contextlib import suppress

from loyalty_helpers.errors import OutcomeUnknownError
from loyalty_helpers.training.exercise import Doing, Exercise, Mistake, Seen, adjusts, changed, on
from loyalty_helpers.training.lesson import Lesson
from loyalty_helpers.training.plan import Plan
from loyalty_helpers.training.world import World

NIA, OTTO = "5afd38c4-465c-459f-aab8-e75c0e550c57", "d0020c81-4070-4160-bfb8-da264493ffc3"
PIA, REX = "64bd1b28-e1d3-4c1b-ac71-73fce9a36892", "6fc7a34a-0ee6-480e-bb7f-804f736aeff1"
SIA = "969c3b4d-bc9c-46c9-a444-adb55dcf05fc"
LOST = "drop-after:path=/adjust,next=1"
NEW_KEY = (
    "Each try had a key of its own, so each counted: the first one had been carried out, and only "
    "its answer was lost. Take the surplus back, and send a repeat with the same key."
)


def _script_of_tonight(world: World) -> None:
    for attempt in range(3):
        key = f"try-{attempt}"
        world.quiet.adjust_points(REX, 8, reason="Ticket 505", idempotency_key=key)


def _placement(lesson: Lesson) -> None:
    from loyalty_helpers.errors import OutcomeUnknownError

    lesson.trouble("drop-after:path=/adjust,next=1")
    once = lesson.client.variant(attempts=1)
    sia = once.find_account(phone_number="+13035553821")
    for _ in range(5):
        try:
            once.adjust_points(sia.id, 7, reason="Ticket 500", idempotency_key="ticket-500")
            break
        except OutcomeUnknownError:
            continue


def _lost(lesson: Lesson) -> None:
    from loyalty_helpers.errors import OutcomeUnknownError

    lesson.trouble("drop-after:path=/adjust,next=1")
    once = lesson.client.variant(attempts=1)
    nia = once.find_account(phone_number="+16175552519")
    try:
        once.adjust_points(nia.id, 20, reason="Ticket 501", idempotency_key="ticket-501")
    except OutcomeUnknownError:
        once.adjust_points(nia.id, 20, reason="Ticket 501", idempotency_key="ticket-501")


def _busy(lesson: Lesson) -> None:
    lesson.trouble("503-after:path=/adjust,next=2")
    client = lesson.client
    otto = client.find_account(phone_number="+17025552736")
    client.adjust_points(otto.id, 15, reason="Ticket 502", idempotency_key="ticket-502")


def _two_intents(lesson: Lesson) -> None:
    client = lesson.client
    pia = client.find_account(phone_number="+12065553387")
    for ticket in (503, 504):
        key = f"ticket-{ticket}"
        client.adjust_points(pia.id, 10, reason="Late order", idempotency_key=key)


def _repair(lesson: Lesson) -> None:
    client = lesson.client
    rex = client.find_account(phone_number="+12125553604")
    reason = "Ticket 505: credited three times"
    client.adjust_points(rex.id, -16, reason=reason, idempotency_key="ticket-505-back")


def _left_unknown(account: str, points: int, reason: str) -> Doing:
    def do(lesson: Lesson) -> None:
        lesson.trouble(LOST)
        with suppress(OutcomeUnknownError):
            once = lesson.client.variant(attempts=1)
            once.adjust_points(account, points, reason=reason, idempotency_key=reason)

    return do


def _one_key(lesson: Lesson) -> None:
    for _ in range(2):
        lesson.client.adjust_points(PIA, 10, reason="Late order", idempotency_key="late-order")


def _asked_once(seen: Seen) -> bool:
    return len(seen.keys) == 1


EXERCISES = (
    Exercise(
        "placement",
        task="Give Sia (+13035553821) 7 points for ticket 500, over a network that loses the first "
        "answer, with a client that does not repeat by itself. Be sure that they arrived once.",
        ours=on(SIA),
        right=changed({SIA: 7}),
        expected="+7 in one event, and asked for until there was an answer",
        look="the idempotency_key of each try",
        solve=_placement,
        mistakes={
            "a new key": Mistake(
                adjusts(SIA, 7, 7, reason="Ticket 500"), changed({SIA: 14}), NEW_KEY
            ),
            "left unknown": Mistake(
                _left_unknown(SIA, 7, "Ticket 500"),
                _asked_once,
                "It was sent once, and you cannot know what became of it: send it again, with the "
                "same key.",
            ),
        },
        hints=(
            "A lost answer says nothing about the write.",
            "Catch OutcomeUnknownError, and send the very same call again.",
        ),
    ),
    Exercise(
        "lost",
        task="Give Nia (+16175552519) 20 points for ticket 501. The answer to your first try gets "
        "lost; make sure that the points are there, once.",
        ours=on(NIA),
        right=changed({NIA: 20}),
        expected="+20 in one event, and the same key in both tries",
        look="the idempotency_key of both tries",
        solve=_lost,
        mistakes={
            "a new key": Mistake(
                adjusts(NIA, 20, 20, reason="Ticket 501"), changed({NIA: 40}), NEW_KEY
            ),
            "left unknown": Mistake(
                _left_unknown(NIA, 20, "Ticket 501"),
                _asked_once,
                "The points are there, but nobody told you: after OutcomeUnknownError it could "
                "have been either way. Send it again, with the same key.",
            ),
        },
        hints=(
            "What would happen if you sent the very same call again?",
            "Run the call once more, with nothing changed: same points, same reason, same key.",
        ),
    ),
    Exercise(
        "busy",
        task="Give Otto (+17025552736) 15 points for ticket 502, while Square answers 503 twice.",
        ours=on(OTTO),
        right=changed({OTTO: 15}),
        expected="+15 in one event",
        look="how many events Otto has now, and which keys they came from",
        solve=_busy,
        mistakes={
            "a new key each time": Mistake(
                adjusts(OTTO, 15, 15, 15, reason="Ticket 502"),
                lambda seen: seen.net[OTTO] > 15,
                "503 does not mean that nothing was done. " + NEW_KEY,
            ),
        },
        hints=(
            "lesson.client repeats by itself, with the same key, for as long as it is sensible.",
            "One plain call of lesson.client.adjust_points is all.",
        ),
    ),
    Exercise(
        "two_intents",
        task="Pia (+12065553387) waited for two late orders, tickets 503 and 504: 10 points for "
        "each, both with the reason Late order.",
        ours=on(PIA),
        right=changed({PIA: 20}),
        expected="+10 in each of two events",
        look="whether two tickets share a key",
        solve=_two_intents,
        mistakes={
            "one key for both": Mistake(
                _one_key,
                changed({PIA: 10}),
                "The second call had the key of the first, so Square took it for a repeat and gave "
                "the first event again: a success that added nothing. Two intents, two keys.",
            ),
        },
        hints=(
            "Same key: same intent. Are these two tickets the same intent?",
            "Make the key of the ticket: ticket-503 and ticket-504.",
        ),
    ),
    Exercise(
        "repair",
        task="Tonight a script gave Rex (+12125553604) 8 points for ticket 505, and tried again "
        "with a new key after each lost answer. Take back what is too much.",
        setup=_script_of_tonight,
        ours=on(REX),
        right=changed({REX: -16}),
        expected="8 points left of all that ticket 505 gave",
        look="Rex's events: how often is ticket 505 among them?",
        solve=_repair,
        mistakes={
            "all taken back": Mistake(
                adjusts(REX, -24, reason="Ticket 505"),
                changed({REX: -24}),
                "Nothing is left of the 8 points that were right. Give 8 back.",
            ),
            "one taken back": Mistake(
                adjusts(REX, -8, reason="Ticket 505"),
                changed({REX: -8}),
                "There were three credits, so two are too many: another 8 have to go.",
            ),
        },
        hints=("search_events(account_id=...) shows how often.", "Three times 8, once is right."),
    ),
)
PLAN = Plan("When the network lies: the same key, once", 20, EXERCISES)
