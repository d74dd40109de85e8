"""Checks the parameters of any notebook, before a kernel is started."""

import difflib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from loyalty_helpers.errors import ParameterError
from loyalty_helpers.redaction import SHOWN_LENGTH, holds_token, mask_repr, mask_text
from loyalty_helpers.runner.parameters import WALKTHROUGHS
from loyalty_helpers.runner.runbook_parameters import RUNBOOKS

MODELS: dict[str, type[BaseModel]] = {**WALKTHROUGHS, **RUNBOOKS}


def check_parameters(notebook: str, given: Mapping[str, Any]) -> BaseModel:
    """The notebook's parameters, or a ParameterError that names every problem at once.

    Args:
        notebook: its name, for example `02_adjust_points`.
        given: values as text or as what they are; all others keep the notebook's default.
    """
    model = MODELS[notebook]
    tokens = [n for n, value in given.items() if holds_token(n) or holds_token(str(value))]
    if tokens:
        names = mask_text(", ".join(tokens))
        raise ParameterError(
            f"{names}: this looks like an access token. A token is never a parameter, "
            "since parameters are written into the notebook: set SQUARE_ACCESS_TOKEN."
        )
    try:
        return model.model_validate(dict(given))
    except ValidationError as error:
        problems = [_problem(model, e, given) for e in error.errors()]
    raise ParameterError("\n".join(problems))


def _problem(model: type[BaseModel], error: Any, given: Mapping[str, Any]) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if not name:
        return str(error["msg"]).removeprefix("Value error, ")
    if name not in model.model_fields:
        near = difflib.get_close_matches(name, model.model_fields, n=1)
        meant = f" (did you mean {near[0]}?)" if near else ""
        return (
            f"{name}: there is no such parameter{meant}; allowed: {', '.join(model.model_fields)}"
        )
    reason = getattr(error.get("ctx", {}).get("error"), "allowed", "")
    allowed = "; ".join(filter(None, [model.model_fields[name].description, reason]))
    return f"{name}: found {_found(given.get(name), digits=bool(reason))}; allowed: {allowed}"


def _found(value: Any, *, digits: bool) -> str:
    """What was given, short; where digits are read, without those of a phone number."""
    size = len(str(value))
    more = f" ({size} characters)" if size > SHOWN_LENGTH else ""
    return mask_repr(str(value), phone=digits) + more
