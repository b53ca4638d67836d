"""Values of the component model as plain Python values, in the names of the WIT.

A record is a `dict` in the WIT's order, a variant `{case: payload}` or the bare case, bytes stay bytes. On the way in a
record is anything with the right attributes, so `record` makes one.
"""

from __future__ import annotations

from typing import Any

from wasmtime.component import Record, Variant

from .error import Error, error_of

#: As nested as the WIT: records of lists of records. Checked by hand, field by field, where it is read.
Value = Any


def plain(value: Value) -> Value:
    """What the component gave, as dicts, lists and scalars."""
    if isinstance(value, Variant):
        return value.tag if value.payload is None else {value.tag: plain(value.payload)}
    if isinstance(value, Record):
        return {name: plain(field) for name, field in vars(value).items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, tuple):
        return tuple(plain(each) for each in value)
    return value


def record(**fields: Value) -> Record:
    """A record; `_` in a name stands for `-`."""
    made = Record()
    for name, value in fields.items():
        setattr(made, name.replace("_", "-"), value)
    return made


def moment(wall_ms: int, monotonic_ms: int) -> Record:
    """The record `now`."""
    return record(wall_ms=wall_ms, monotonic_ms=monotonic_ms)


def event(happened: Value) -> Variant:
    """The variant `event`, from its plain form: `"tick"`, `{"file": (id, {"ok": bytes} | {"err": fault})}`, ..."""
    if happened == "tick":
        return Variant("tick")
    ((case, payload),) = happened.items()
    if case == "reject":
        return Variant("reject", payload)
    number, outcome = payload
    ((kind, value),) = outcome.items()
    if case == "source":
        # Its error holds text, too, so that this result has to say which it is.
        failed = value if kind == "ok" or value == "absent" else value["failed"]
        return Variant("source", (number, Variant(kind, None if failed == "absent" and kind == "err" else failed)))
    if case == "response" and kind == "ok":
        headers = [record(name=header["name"], value=header["value"]) for header in value["headers"]]
        value = record(status=value["status"], headers=headers, body=value["body"])
    return Variant(case, (number, value))


def error(raised: dict[str, Value]) -> Error:
    """The variant `error`, in its plain form, as an exception."""
    ((kind, problem),) = raised.items()
    wait = problem["retry-after-ms"]
    return error_of(kind, problem["code"], problem["message"], None if wait is None else wait / 1000)
