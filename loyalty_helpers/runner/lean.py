"""Keeps out of this process what is slow to load and not needed here."""

import sys

# jsonschema, which reads notebooks, looks for optional checkers of exotic formats when it is
# imported. The first of these builds a grammar (1.3 s), the second loads a calendar (20 ms).
FORMAT_CHECKERS = ("rfc3987_syntax", "isoduration")


def leave_out_format_checkers() -> None:
    """Tell this process that the checkers are not installed; no notebook uses their formats."""
    for name in FORMAT_CHECKERS:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
