"""The examples that Square publishes, put to the letter into recordings made with the emulator.

An emulator's answer that agrees with a published example in all but what is generated (times,
the id of an event) and in how the phone number is written, is replaced by the example. So a
recording holds Square's own words wherever Square has published them, its impossible time
25:11:07 included, and readers of answers are tested against them.
"""

import json
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import RecordingError
from loyalty_helpers.transports.recordings import Provenance, Recording

EXAMPLES_FILE = "documented.json"
TIMES = frozenset({"created_at", "updated_at"})


class PublishedExamples:
    """The examples of one file: `[{"page": where it is published, "body": the answer}, ...]`."""

    def __init__(self, examples: list[dict[str, Any]]) -> None:
        self._pages = [(example["body"], example["page"]) for example in examples]
        self._objects = [part for body, _ in self._pages for part in body.values()]

    @classmethod
    def load(cls, folder: Path) -> "PublishedExamples":
        """Read the examples that stand beside the recordings; raises RecordingError."""
        path = folder / EXAMPLES_FILE
        try:
            return cls(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise RecordingError(
                f"the published examples {path} cannot be read: {error}. Restore the file."
            ) from None

    def rewrite(self, body: Any) -> tuple[Any, str | None]:
        """The body with published objects in place, and the page if it is an example as a whole."""
        rewritten = self._replace(body)
        return rewritten, next((page for whole, page in self._pages if whole == rewritten), None)

    def put_into(self, recording: Recording) -> Recording:
        """The recording with published objects in place; whole answers name their page."""
        exchanges = []
        for each in recording.exchanges:
            body, page = self.rewrite(each.response.body)
            made: dict[str, Any] = {"response": each.response.model_copy(update={"body": body})}
            if page:
                made["provenance"] = Provenance(source="documented", page=page)
            exchanges.append(each.model_copy(update=made))
        return recording.model_copy(update={"exchanges": tuple(exchanges)})

    def _replace(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._replace(item) for item in value]
        if not isinstance(value, dict):
            return value
        substance = _substance(value)
        published = (o for o in self._objects if _substance(o) == substance)
        return next(published, {key: self._replace(item) for key, item in value.items()})


def _substance(value: Any) -> Any:
    """What must agree: all but times, the id of an event, and the plus of a phone number."""
    if not isinstance(value, dict):
        return value.lstrip("+") if isinstance(value, str) else value
    event = "loyalty_account_id" in value
    left_out = TIMES | ({"id"} if event else set())
    return {key: _substance(item) for key, item in value.items() if key not in left_out}
