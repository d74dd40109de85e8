"""Judges answers by the models of Square's own SDK, more strictly than the SDK does.

The SDK constructs its models without validating them: any field, any enum and no field at all
pass. Here a field that the model does not know, a required one that is missing, a value of
another type, an enum value that Square does not have, and a null are each a problem.
"""

import json
import re
import types
import typing
from functools import cache
from importlib import import_module

import httpx
from pydantic import BaseModel

_ACCOUNT, _PROGRAM, _REWARD = "/loyalty/accounts", "/loyalty/programs", "/loyalty/rewards"
# The first that fits is the one: `search` and `main` look like ids.
_OPERATIONS = (
    ("POST", f"{_ACCOUNT}/search", "search_loyalty_accounts"),
    ("POST", f"{_ACCOUNT}/ID/adjust", "adjust_loyalty_points"),
    ("POST", f"{_ACCOUNT}/ID/accumulate", "accumulate_loyalty_points"),
    ("GET", f"{_ACCOUNT}/ID", "get_loyalty_account"),
    ("POST", _ACCOUNT, "create_loyalty_account"),
    ("POST", "/loyalty/events/search", "search_loyalty_events"),
    ("GET", _PROGRAM, "list_loyalty_programs"),
    ("GET", f"{_PROGRAM}/ID", "get_loyalty_program"),
    ("POST", f"{_PROGRAM}/ID/calculate", "calculate_loyalty_points"),
    ("GET", f"{_PROGRAM}/ID/promotions", "list_loyalty_promotions"),
    ("POST", f"{_PROGRAM}/ID/promotions", "create_loyalty_promotion"),
    ("GET", f"{_PROGRAM}/ID/promotions/ID", "get_loyalty_promotion"),
    ("POST", f"{_PROGRAM}/ID/promotions/ID/cancel", "cancel_loyalty_promotion"),
    ("POST", _REWARD, "create_loyalty_reward"),
    ("POST", f"{_REWARD}/search", "search_loyalty_rewards"),
    ("GET", f"{_REWARD}/ID", "get_loyalty_reward"),
    ("DELETE", f"{_REWARD}/ID", "delete_loyalty_reward"),
    ("POST", f"{_REWARD}/ID/redeem", "redeem_loyalty_reward"),
    ("GET", "/locations", "list_locations"),
    ("POST", "/orders", "create_order"),
    ("GET", "/orders/ID", "get_order"),
    ("POST", "/orders/ID/pay", "pay_order"),
    ("POST", "/payments", "create_payment"),
    ("POST", "/customers", "create_customer"),
    ("POST", "/customers/search", "search_customers"),
    ("GET", "/customers/ID", "get_customer"),
)
# Answered by Square (see docs/emulator.md), but not in the SDK's list of codes.
_UNLISTED = b'"VERSION_MISMATCH"'


def check_answer(response: httpx.Response) -> None:
    """Fail unless the answer is what Square publishes; a hook for httpx clients.

    Bodies that a fault has cut or replaced are no answers of Square's.
    """
    body = response.read()
    whole = len(body) == int(response.headers["Content-Length"])
    if whole and response.headers["Content-Type"] == "application/json":
        request = response.request
        found = problems_of(request.method, request.url.path, response.status_code, body)
        assert found == [], f"{request.method} {request.url.path}: {found}"


def problems_of(method: str, path: str, status: int, body: bytes) -> list[str]:
    """Return what is wrong with an answer."""
    answer = json.loads(body.replace(_UNLISTED, b'"BAD_REQUEST"'))
    if (status >= 400) != ("errors" in answer):
        return [f"errors do not go with the status {status}"]
    if status >= 400:
        return problems(list[model("error")], answer["errors"], "errors")
    name = operation(method, path)
    return problems(model(f"{name}_response"), answer, "body")


def operation(method: str, path: str) -> str:
    """Return the SDK's name of what answers a path."""
    for known, pattern, name in _OPERATIONS:
        if known == method and re.fullmatch(f"/v2{pattern.replace('ID', '[^/]+')}", path):
            return name
    raise LookupError(f"{method} {path} is no operation of Square's that is known here")


@cache
def model(module: str) -> type[BaseModel]:
    """Return the SDK's model of a name; importing each alone is faster than all."""
    name = "".join(word.capitalize() for word in module.split("_"))
    return getattr(import_module(f"square.types.{module}"), name)


def problems(expected: typing.Any, value: typing.Any, where: str) -> list[str]:
    """Return how a value differs from what an annotation expects."""
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin is typing.Annotated:
        return problems(arguments[0], value, where)
    if origin in (typing.Union, types.UnionType):
        return _union_problems(arguments, value, where)
    if origin is typing.Literal:
        return [] if value in arguments else [f"{where}: {value!r} is not Square's"]
    if origin is list or origin is typing.Sequence:
        return _list_problems(arguments[0], value, where)
    if isinstance(expected, type) and issubclass(expected, BaseModel):
        return _model_problems(expected, value, where)
    if origin is dict:
        return [] if isinstance(value, dict) else [f"{where}: {value!r} is no object"]
    is_right = expected is typing.Any or type(value) is expected
    return [] if is_right else [f"{where}: {value!r} is no {expected}"]


def _union_problems(choices: tuple[typing.Any, ...], value: typing.Any, where: str) -> list[str]:
    """Judge by the best choice; null and "anything else" are none."""
    real = [each for each in choices if each not in (type(None), typing.Any)]
    return min((problems(each, value, where) for each in real), key=len)


def _list_problems(item: typing.Any, value: typing.Any, where: str) -> list[str]:
    if not isinstance(value, list) or not value:
        return [f"{where}: {value!r} is no array with something in it"]
    return [
        found for i, each in enumerate(value) for found in problems(item, each, f"{where}[{i}]")
    ]


def _model_problems(expected: type[BaseModel], value: typing.Any, where: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    fields = {field.alias or name: field for name, field in expected.model_fields.items()}
    found = [f"{where}.{name}: unknown" for name in value.keys() - fields.keys()]
    for name, field in fields.items():
        if name in value:
            found += problems(field.annotation, value[name], f"{where}.{name}")
        elif field.is_required():
            found.append(f"{where}.{name}: missing")
    return found
