"""JSON as it is sent, stored and compared. Coders are made once: each costs as much as its work."""

from __future__ import annotations

import json
from typing import Any, Final, NoReturn


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


compact_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
canonical_json: Final = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":")
).encode
"""Equal data, equal text."""
read_json: Final = json.JSONDecoder(parse_constant=_refuse_constant).decode


def without_absent(record: dict[str, Any]) -> dict[str, Any]:
    """Return the record as Square writes it: what is absent is not null but not there."""
    return {name: value for name, value in record.items() if value is not None}
