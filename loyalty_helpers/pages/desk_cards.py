"""What the desk shows: cards for people, masked and escaped."""

from loyalty_helpers.api import MARKER
from loyalty_helpers.pages.desk_stages import Buyer, Done, Previewed, in_days
from loyalty_helpers.records import LoyaltyAccount, LoyaltyEvent, card, points_text, table
from loyalty_helpers.redaction import mask_reason, mask_text

EVENTS_SHOWN = 5
EXPIRIES_SHOWN = 3
DIGEST_SHOWN = 12  # as many as approve a plan elsewhere
KINDS = {
    "ACCUMULATE_POINTS": "earned",
    "ACCUMULATE_PROMOTION_POINTS": "earned by a promotion",
    "ADJUST_POINTS": "adjusted",
    "CREATE_REWARD": "reward taken",
    "REDEEM_REWARD": "reward used",
    "DELETE_REWARD": "reward given back",
    "EXPIRE_POINTS": "expired",
}


def named(account: LoyaltyAccount) -> str:
    """An account in a few words, for a card or a choice."""
    return account.masked_phone_number or f"without a phone number, account {account.id}"


def buyer_card(buyer: Buyer) -> str:
    """Who is on the line, as far as the desk may see."""
    account = buyer.account
    deadlines = sorted(account.expiring_point_deadlines, key=lambda it: str(it.expires_at))
    rows = [
        ("balance", f"{account.balance} points"),
        ("lifetime points", account.lifetime_points),
        *(
            ("expire", f"{it.points} on {in_days(it.expires_at)}")
            for it in deadlines[:EXPIRIES_SHOWN]
        ),
        ("account", account.id),
    ]
    events = [
        (in_days(event.created_at), f"{event.points:+d}", _what(event))
        for event in buyer.events[:EVENTS_SHOWN]
    ]
    title = "Last events" if events else "No events yet"
    last = table(title, ("when", "points", "what"), events)
    return _said(card(f"Buyer {named(account)}", rows)) + _said(last)


def preview_card(seen: Previewed) -> str:
    """What confirming would do."""
    asked = seen.asked
    rows = [
        ("balance before", asked.account.balance),
        ("change", points_text(asked.points)),
        ("balance after", seen.after),
        ("reason", mask_reason(asked.reason)),
        ("ticket", seen.ticket),
        ("digest of the plan", asked.digest[:DIGEST_SHOWN]),
    ]
    what = "Undo" if seen.undoes else "Preview"
    title = f"{what} for buyer {named(asked.account)}: nothing is changed yet"
    repeated = _alert("Careful: this may have been done already", seen.warning)
    return _alert("Look again", seen.changed) + _said(card(title, rows)) + repeated


def done_card(done: Done, environment: str) -> str:
    """What was done, with the proof."""
    proof, asked, seen = done.proof, done.previewed.asked, done.previewed
    note = [proof.note, *map(mask_text, proof.problems)]
    if done.undone_by and not seen.undoes:
        note.append(
            f"It was undone by event {done.undone_by.id}. Take another ticket number for points "
            "that are meant anew."
        )
    rows = [
        ("balance before", proof.before),
        ("change", points_text(asked.points)),
        ("balance after", proof.account.balance),
        ("event in the ledger", proof.event_id),
        ("reason", mask_reason(asked.reason)),
        ("ticket", seen.ticket),
        ("environment", environment),
    ]
    what = "NOT VERIFIED: look at the buyer's events" if proof.problems else "Verified"
    title = f"{what}: {'undone' if seen.undoes else 'adjusted'} for buyer {named(proof.account)}"
    tone = "bad" if proof.problems else "good"
    return _said(card(title, rows, note="\n".join(filter(None, note)), tone=tone))


def _what(event: LoyaltyEvent) -> str:
    reason = mask_reason(MARKER.sub("", event.reason).strip())
    return ": ".join(filter(None, [KINDS.get(event.type, "other"), reason]))


def _alert(title: str, text: str) -> str:
    return _said(card(title, [], note=text, tone="bad"), role="alert") if text else ""


def _said(shown: dict[str, object], role: str = "status") -> str:
    """A card that a screen reader tells when it comes, and that scrolls where it is too wide."""
    return f'<div role="{role}" style="overflow-x: auto">{shown["text/html"]}</div>'
