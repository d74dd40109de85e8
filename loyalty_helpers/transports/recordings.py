"""Recordings: one JSON file a notebook, the two transports that make and replay them, and drift.

Each exchange says where its answer comes from: `documented` (an example that Square publishes),
`sandbox` (recorded from Square's Sandbox) or `emulator`. Phone numbers other than made-up 555
numbers are masked before anything touches the disk; tokens are no part of an exchange.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from loyalty_helpers.errors import NoRecordingError, RecordingError
from loyalty_helpers.files import write_json
from loyalty_helpers.redaction import mask_body
from loyalty_helpers.transports.answers import read_answer
from loyalty_helpers.transports.http import httpx

FORMAT = 1
ABSENT = "(absent)"
SHOWN_DIFFERENCES = 5
PASSED_ON = ("Retry-After",)  # the headers of an answer that the client reads
Source = Literal["documented", "sandbox", "emulator"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Provenance(_Strict):
    """Where an answer comes from.

    Attributes:
        source: `documented`, `sandbox` or `emulator`.
        page: the page of Square's documentation that holds it, for `documented`.
        recorded_at: the `Date` of the answer, RFC 3339, for the others.
        square_version: the Square-Version of the answer.
    """

    source: Source
    page: str | None = None
    recorded_at: str | None = None
    square_version: str | None = None


class Request(_Strict):
    """What was asked; `path` includes the query."""

    method: str
    path: str
    body: dict[str, Any] | None = None


class Response(_Strict):
    """What was answered."""

    status: int
    body: Any


class Recorded(_Strict):
    """One exchange of a recording."""

    provenance: Provenance
    request: Request
    response: Response


class Recording(_Strict):
    """The exchanges of one notebook in the order in which they happened."""

    format: int
    notebook: str
    exchanges: tuple[Recorded, ...]


@dataclass(frozen=True)
class Drift:
    """One field that differs.

    Attributes:
        path: dotted, list places as numbers, for example `events.0.adjust_points.points`.
        expected: the value on the first side, or ABSENT.
        found: the value on the second side, or ABSENT.
    """

    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.path}: recorded {self.expected!r}, found {self.found!r}"


def recording_file(folder: Path, notebook: str) -> Path:
    """The file of a notebook's recording."""
    return folder / f"{Path(notebook).stem}.json"


def load_recording(path: Path) -> Recording:
    """Read a recording, or raise a RecordingError that says what is wrong with the file."""
    again = f"Make it anew with: loyalty record {path.stem}"
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecordingError(f"there is no recording {path}. {again}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RecordingError(f"recording {path} cannot be read: {error}. {again}") from None
    found = value.get("format") if isinstance(value, dict) else None
    if found != FORMAT:
        raise RecordingError(f"recording {path} has format {found!r}, not {FORMAT}. {again}")
    try:
        return Recording.model_validate_json(json.dumps(value))
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise RecordingError(f"recording {path} is corrupt: {wrong}. {again}") from None


def save_recording(path: Path, recording: Recording) -> None:
    """Write a recording; it is made to be committed, so everybody may read the file.

    Raises:
        RecordingError: there can be no such file.
    """
    try:
        write_json(path, recording.model_dump(exclude_none=True), mode=0o644)
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"recording {str(path)!r} cannot be written: {error}. Give LOYALTY_RECORDINGS another "
            "folder"
        ) from None


def request_of(request: httpx.Request) -> Request:
    """What is compared and kept of a request: method, path and body, phone numbers masked."""
    content = request.read()
    body = mask_body(json.loads(content), keep_test_numbers=True) if content else None
    path = request.url.raw_path.decode("ascii")
    return Request(method=request.method, path=path, body=body)


class ReplayTransport(httpx.BaseTransport):
    """Answers from a recording; nothing goes out.

    A request matches by method, path and body. Asked again, it gets its next recorded answer,
    and when there is none left, the last one again.
    """

    def __init__(self, recording: Recording, path: Path) -> None:
        self._recording, self._path = recording, path
        self._asked: dict[int, int] = {}
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path) -> "ReplayTransport":
        """The transport for a file; raises RecordingError."""
        return cls(load_recording(path), path)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer; raises NoRecordingError."""
        asked, exchanges = request_of(request), self._recording.exchanges
        matching = [i for i, recorded in enumerate(exchanges) if recorded.request == asked]
        if not matching:
            raise NoRecordingError(_no_recording(asked, self._recording, self._path))
        with self._lock:
            turn = self._asked.get(matching[0], 0)
            self._asked[matching[0]] = turn + 1
        answer = exchanges[matching[min(turn, len(matching) - 1)]].response
        return httpx.Response(answer.status, json=answer.body)


class RecordingTransport(httpx.BaseTransport):
    """Passes requests on, and writes each exchange down as it happens.

    An answer that is no JSON, of a proxy for example, is passed on and not written down: it is
    none of Square's, and the client asks again.

    Args:
        inner: what answers.
        target: the file to write.
        notebook: the notebook's name.
        source: `sandbox` or `emulator`.
    """

    def __init__(
        self, inner: httpx.BaseTransport, target: Path, *, notebook: str, source: Source
    ) -> None:
        self._inner, self._target = inner, target
        self._notebook, self._source = notebook, source
        self._exchanges: list[Recorded] = []
        self._lock = threading.Lock()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of what is inside, after it was written down."""
        answer = self._inner.handle_request(request)
        read = read_answer(answer)
        if read.value is None:
            answer.close()
            return httpx.Response(answer.status_code, headers=_kept(answer))
        body = mask_body(read.value, keep_test_numbers=True)
        recorded = Recorded(
            provenance=self._provenance(answer),
            request=request_of(request),
            response=Response(status=answer.status_code, body=body),
        )
        with self._lock:
            self._exchanges.append(recorded)
            self._save()
        return httpx.Response(answer.status_code, json=read.value, headers=_kept(answer))

    def close(self) -> None:
        """Close what is inside."""
        self._inner.close()

    def _provenance(self, answer: httpx.Response) -> Provenance:
        date, version = (answer.headers.get(name) for name in ("Date", "Square-Version"))
        at = parsedate_to_datetime(date).strftime("%Y-%m-%dT%H:%M:%SZ") if date else None
        return Provenance(source=self._source, recorded_at=at, square_version=version)

    def _save(self) -> None:
        exchanges = tuple(self._exchanges)
        recording = Recording(format=FORMAT, notebook=self._notebook, exchanges=exchanges)
        save_recording(self._target, recording)


def _kept(answer: httpx.Response) -> dict[str, str]:
    return {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}


def _no_recording(asked: Request, recording: Recording, path: Path) -> str:
    """The text for a request without a recording: the nearest one, and what differs."""
    lines = [f"{path.name} holds no answer to {asked.method} {asked.path}."]
    nearest = _nearest(asked, recording.exchanges)
    if nearest:
        lines.append(f"The nearest recorded request is {nearest[0].method} {nearest[0].path}:")
        lines += [f"  {difference}" for difference in nearest[1][:SHOWN_DIFFERENCES]]
    lines.append(
        "In 'recorded' only the recorded values work. Use 'local' for others, or make the "
        f"recording anew with: loyalty record {recording.notebook}"
    )
    return "\n".join(lines)


def _nearest(asked: Request, exchanges: Sequence[Recorded]) -> tuple[Request, list[Drift]] | None:
    """The recorded request with the fewest differences; another path weighs most."""
    compared = [
        (recorded.request, list(differences(recorded.request.model_dump(), asked.model_dump())))
        for recorded in exchanges
    ]
    return min(compared, key=lambda pair: (pair[0].path != asked.path, len(pair[1])), default=None)


def differences(expected: Any, found: Any, path: str = "") -> Iterator[Drift]:
    """Every field in which `found` differs from `expected`, in the order of the fields."""
    if type(expected) is type(found) and isinstance(expected, dict | list):
        old, new = _parts(expected), _parts(found)
        for key in [*old, *(key for key in new if key not in old)]:
            below = f"{path}.{key}" if path else str(key)
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), below)
    elif type(expected) is not type(found) or expected != found:
        yield Drift(path or "body", expected, found)


def _parts(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else dict(enumerate(value))
