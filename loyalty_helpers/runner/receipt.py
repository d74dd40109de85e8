"""The receipt of a run: what was asked, what came of it, and with which versions."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.records import VERIFICATION_MIME
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.runner.execute import InterruptedRunError
from loyalty_helpers.settings import SQUARE_VERSION, VERSION

FORMAT = 1
FACTS = ("account_id", "event_id", "points", "applied", "balance_before", "balance_after")


def now() -> str:
    """The time in RFC 3339, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(notebook: str, parameters: Mapping[str, Any], *, run_id: str) -> dict[str, Any]:
    """The receipt of a run that has not ended: it is on disk before anything happens."""
    return {
        "format": FORMAT,
        "notebook": notebook,
        "run_id": run_id,
        "environment": parameters["environment"],
        "parameters": mask_body(dict(parameters)),
        "status": "interrupted",
        "verified": False,
        "error": None,
        **dict.fromkeys(FACTS),
        "started_at": now(),
        "finished_at": None,
        "versions": {
            "loyalty-notebooks": VERSION,
            "Square-Version": SQUARE_VERSION,
            "python": platform.python_version(),
            **{name: version(name) for name in ("papermill", "ipykernel", "httpx", "pydantic")},
        },
    }


def finish(
    receipt: dict[str, Any], facts: Mapping[str, Any] | None, error: LoyaltyError | None
) -> dict[str, Any]:
    """The receipt of a run that has ended: verified, failed or interrupted."""
    verified = error is None and (facts is None or bool(facts["verified"]))
    interrupted = isinstance(error, InterruptedRunError)
    return receipt | {
        "status": "verified" if verified else "interrupted" if interrupted else "failed",
        "verified": verified,
        "error": str(error) if error else None,
        **{name: (facts or {}).get(name) for name in FACTS},
        "finished_at": now(),
    }


def verification_of(notebook: Mapping[str, Any]) -> dict[str, Any] | None:
    """The facts of the last verification that an executed notebook shows, if it shows one."""
    for cell in reversed(notebook["cells"]):
        for output in cell.get("outputs", []):
            facts = output.get("data", {}).get(VERIFICATION_MIME)
            if facts is not None:
                return dict(facts)
    return None
