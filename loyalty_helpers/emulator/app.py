"""The emulator as a WSGI application: token, version header, body, envelope."""

import json
import re
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.http import http_date
from werkzeug.wrappers import Request

from .assumptions import Assumptions
from .call import Call
from .clock import SeededIds, utc_now
from .database import Database
from .expiry import expire_due
from .fault_plan import FOUND_UNTIL, SALT, Faults
from .ledger import Ledger, World
from .programs import keep_program
from .routes import find_route
from .seed import build, rebuild
from .validation import SHAPES, read_body
from .wire import Answer, Environ, WireError, compact_json, not_found, refusal, respond

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

SQUARE_VERSION: Final = "2026-09-16"
MAX_BODY_BYTES: Final = 1024 * 1024


class Emulator:
    """Square's Loyalty API, answered from one SQLite file.

    An emulator is itself the WSGI application. Any number of threads may use it, and any number
    of processes may have the same file open; nothing is kept but in the file. What goes wrong
    on purpose is planned in `faults`.
    """

    def __init__(self, database: Database, world: World, token: str, faults: Faults) -> None:
        self._database, self._world = database, world
        self._authorization = f"Bearer {token}"
        self.faults = faults

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        token: str = "local-token",  # noqa: S107 - it guards nothing: a file on this machine
        clock: Callable[[], datetime] = utc_now,
        ids: SeededIds | None = None,
        assumptions: Assumptions | None = None,
        faults: Faults | None = None,
        program: dict[str, Any] | None = None,
    ) -> "Emulator":
        """Open the file at `path`; when it is missing, make it with the seed world.

        Args:
            path: The SQLite file. Its folder is made too, both for this user alone.
            token: The access token that requests must bear.
            clock: Returns the time, aware.
            ids: Where the ids of new accounts come from; random by default.
            assumptions: The rules that Square does not document.
            faults: What goes wrong on purpose; nothing until something is added.
            program: The program that the seller has from now on, see `program`; else the file's.

        Raises:
            EmulatorFileError: The file cannot be used; the text says why and what to do.
        """
        world = World(clock, ids or SeededIds(), assumptions or Assumptions())
        database = Database.open(Path(path), lambda connection: build(Ledger(connection, world)))
        emulator = cls(database, world, token, faults or Faults())
        if program:
            with ExitStack() as failing:
                failing.callback(emulator.close)
                emulator.set_program(program)
                failing.pop_all()
        return emulator

    def reset(self) -> None:
        """Go back to the seed world, its program included, in one transaction."""
        with self._database.writing() as connection:
            rebuild(Ledger(connection, self._world))

    def forget_keys(self) -> None:
        """Forget every idempotency key used so far, as a service may: the same key works anew."""
        self.faults.keys.forget(self._world.clock())

    def set_program(self, program: dict[str, Any]) -> None:
        """Change the program, as a seller does in the Dashboard: Square has no API for it."""
        with self._database.writing() as connection:
            keep_program(Ledger(connection, self._world), program)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> "Emulator":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, as WSGI asks for it."""
        app = self.faults.around(self._respond, environ, self._world.clock)
        answer = app(environ, start_response)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else answer

    def _respond(self, environ: Environ, start_response: "StartResponse") -> Iterable[bytes]:
        status, headers = 200, {"Date": http_date(self._world.clock())}
        try:
            answer = self._answer(environ, headers)
        except (WireError, sqlite3.Error) as error:
            refused = error if isinstance(error, WireError) else _storage_trouble(error)
            status, answer = refused.status, refused.envelope
            headers.update(refused.headers)
        return respond(start_response, status, headers, compact_json(answer).encode())

    def _answer(self, environ: Environ, headers: dict[str, str]) -> Answer:
        if environ.get("HTTP_AUTHORIZATION") != self._authorization:
            raise refusal("UNAUTHORIZED", "This request could not be authorized.")
        assumptions = self._world.assumptions
        version, request = _version(environ, assumptions), _readable(environ)
        route, ids = find_route(request.method, request.path)
        has_body = route.method == "POST" and route.operation in SHAPES
        raw = _posted(request, assumptions) if has_body else _from_query(request)
        body = read_body(raw, assumptions, route.operation)
        if route.ready:
            self._make_ready()
        salt = environ.get(SALT, self.faults.keys.salt)
        until = environ.get(FOUND_UNTIL)
        call = Call(self._database, self._world, ids, *body, version, salt, until)
        answer = call.answer(route.handle)
        headers["Square-Version"] = version
        return answer

    def _make_ready(self) -> None:
        """Refuse while the program is not in force; expire what has come due under its policy."""
        with self._database.reading() as connection:
            program = Ledger(connection, self._world).program() or {"status": "ACTIVE"}
        if program["status"] != "ACTIVE":
            assumptions = self._world.assumptions
            code, status = assumptions.inactive_program_code, assumptions.inactive_program_status
            detail = "The seller has no subscription to Square Loyalty."
            raise refusal(code, detail, status=status)
        if "expiration_policy" in program:
            expire_due(self._database, self._world)


def _posted(request: Request, assumptions: Assumptions) -> bytes:
    if request.content_type and request.mimetype != "application/json":
        code = assumptions.wrong_content_type_code
        raise refusal(code, "Expected the content type application/json.")
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        detail = f"The body must not be larger than {MAX_BODY_BYTES} bytes."
        raise refusal("REQUEST_ENTITY_TOO_LARGE", detail) from None
    except ClientDisconnected:
        raise refusal("EXPECTED_JSON_BODY", "The body ended before its length.") from None


def _from_query(request: Request) -> bytes:
    """Return the parameters in the URL as a body; a number is one in JSON as well."""
    sent: dict[str, str | int] = dict(request.args)
    if re.fullmatch(r"-?[0-9]{1,9}", str(sent.get("limit", ""))):
        sent["limit"] = int(sent["limit"])
    return json.dumps(sent).encode()


def _readable(environ: Environ) -> Request:
    if environ.get("PATH_INFO", "").startswith("//"):
        # werkzeug would take it for one slash, and hide a base URL that ends in one.
        raise not_found("Resource")
    try:
        request = Request(environ)
    except UnicodeError:
        # Some WSGI clients leave characters in the path that no byte stands for.
        raise not_found("Resource") from None
    request.max_content_length = MAX_BODY_BYTES
    return request


def _version(environ: Environ, assumptions: Assumptions) -> str:
    """Return the version to answer with: the one asked for, or the application's default."""
    version: str = environ.get("HTTP_SQUARE_VERSION", SQUARE_VERSION)
    with suppress(ValueError):
        if date.fromisoformat(version).isoformat() == version:
            return version
    detail = "The Square-Version header must be a date of the form YYYY-MM-DD."
    raise refusal(assumptions.malformed_version_code, detail)


def _storage_trouble(error: sqlite3.Error) -> WireError:
    """Say what is wrong with the file; the transaction has left nothing behind."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return refusal("SERVICE_UNAVAILABLE", "The emulator's file is busy; nothing was written.")
    reasons: dict[int, str] = {
        sqlite3.SQLITE_FULL: "the disk is full",
        sqlite3.SQLITE_READONLY: "it is read-only",
        sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    }
    reason = reasons.get(code, str(error))
    detail = f"The emulator's file cannot be used: {reason}. Nothing was written."
    return refusal("INTERNAL_SERVER_ERROR", detail)
