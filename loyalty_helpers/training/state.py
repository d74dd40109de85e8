"""What is remembered of a learner: one file that outlives the kernel, and that proves nothing."""

import json
import secrets
from pathlib import Path
from typing import Any

from loyalty_helpers.errors import LoyaltyError
from loyalty_helpers.files import write_json
from loyalty_helpers.settings import load_settings

FORMAT = 1
FILE = "progress.json"
SEEDS = 10_000


def training_folder() -> Path:
    """Where all learning is kept: in the folder of the emulator's file, apart from that file."""
    return load_settings().emulator_file.parent / "training"


class Progress:
    """Tries, hints, solutions, passes, double credits and event ids, by lesson and exercise."""

    def __init__(self, folder: Path, seed: int | None = None) -> None:
        self.folder, self._file = folder, folder / FILE
        if not self._file.exists():
            new = seed if seed is not None else secrets.randbelow(SEEDS)
            write_json(self._file, {"format": FORMAT, "seed": new, "lessons": {}})

    @property
    def all(self) -> dict[str, Any]:
        """The file as it is now.

        Raises:
            LoyaltyError: it cannot be read, or is of another version.
        """
        try:
            value = json.loads(self._file.read_text(encoding="utf-8"))
            if (
                value["format"] == FORMAT
                and isinstance(value["seed"], int)
                and value["lessons"] is not None
            ):
                return dict(value)
            found = f"its format is {value['format']!r}, and this version reads {FORMAT}"
        except (OSError, ValueError, KeyError, TypeError) as error:
            found = repr(error)
        raise LoyaltyError(
            f"{self._file} cannot be read: {found}. `loyalty training reset` begins everything anew"
        )

    @property
    def seed(self) -> int:
        """What makes this learner's world their own."""
        return int(self.all["seed"])

    def of(self, lesson: str, exercise: str) -> dict[str, Any]:
        """What is known of one exercise; empty at first."""
        return dict(self.all["lessons"].get(lesson, {}).get(exercise, {}))

    def note(self, lesson: str, exercise: str, **values: Any) -> None:
        """Write values down beside what is known of an exercise."""
        known = self.all
        known["lessons"].setdefault(lesson, {}).setdefault(exercise, {}).update(values)
        write_json(self._file, known)

    def count(self, lesson: str, exercise: str, name: str) -> int:
        """Count one more try or hint; returns how many there were before."""
        before = int(self.of(lesson, exercise).get(name, 0))
        self.note(lesson, exercise, **{name: before + 1})
        return before

    def unpass(self, lesson: str) -> None:
        """A lesson that begins anew is passed no more; tries and hints stay counted."""
        for exercise, known in self.all["lessons"].get(lesson, {}).items():
            self.note(lesson, exercise, **{**known, "passed": False, "events": []})
