"""Puts two traps into the filter: the same module, but that it breaks when a request has a body, and when an answer to a
call of its own is `FATAL` bytes long.

Nothing in the filter itself breaks on purpose. So a callback is added that it does not export, for bodies, and the one for
answers is wrapped. Numbers are those of the WebAssembly specification, "Binary format".
"""

from collections.abc import Iterator

IMPORT, FUNCTION, EXPORT, CODE = 2, 3, 7, 10

# Bytes of an answer.
FATAL = 7_777

UNREACHABLE, END = b"\x00", b"\x0b"


def with_traps(module: bytes) -> bytes:
    """A module that breaks as said above."""
    header, sections = module[:8], list(split(module[8:]))
    contents = dict(sections)
    # All that is imported are functions, and they have the first numbers.
    imported, _ = number(contents[IMPORT], 0)
    functions, types = vector(contents[FUNCTION])
    kinds = list(numbers(types))
    exports = dict(exported(contents[EXPORT]))

    def kind_of(name: str) -> bytes:
        return leb(kinds[exports[name][1] - imported])

    first_new = imported + functions
    on_answer = exports["proxy_on_http_call_response"][1]
    added = [
        # Of the same type as the callback for headers.
        (kind_of("proxy_on_request_headers"), UNREACHABLE),
        (kind_of("proxy_on_http_call_response"), unless_fatal(on_answer)),
    ]
    exports["proxy_on_request_body"] = (0, first_new)
    exports["proxy_on_http_call_response"] = (0, first_new + 1)
    bodies, code = vector(contents[CODE])
    changed = {
        FUNCTION: leb(functions + len(added)) + types + b"".join(kind for kind, _ in added),
        EXPORT: leb(len(exports)) + b"".join(export(name, *what) for name, what in exports.items()),
        # No locals.
        CODE: leb(bodies + len(added)) + code + b"".join(sized(b"\x00" + body + END) for _, body in added),
    }
    return header + b"".join(bytes([kind]) + sized(changed.get(kind, content)) for kind, content in sections)


def unless_fatal(function: int) -> bytes:
    """Calls a callback of five parameters, of which the fourth is the size of the answer."""
    size = get(3) + b"\x41" + leb(FATAL) + b"\x46"
    trap = b"\x04\x40" + UNREACHABLE + END
    return size + trap + b"".join(get(parameter) for parameter in range(5)) + b"\x10" + leb(function)


def get(local: int) -> bytes:
    return b"\x20" + leb(local)


def split(rest: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each section."""
    at = 0
    while at < len(rest):
        kind = rest[at]
        size, at = number(rest, at + 1)
        yield kind, rest[at : at + size]
        at += size


def exported(content: bytes) -> Iterator[tuple[str, tuple[int, int]]]:
    """Name, kind and index of each export."""
    count, at = number(content, 0)
    for _ in range(count):
        size, at = number(content, at)
        name, kind = content[at : at + size].decode(), content[at + size]
        index, at = number(content, at + size + 1)
        yield name, (kind, index)


def export(name: str, kind: int, index: int) -> bytes:
    return sized(name.encode()) + bytes([kind]) + leb(index)


def vector(content: bytes) -> tuple[int, bytes]:
    """How many items a section has, and all of them."""
    count, at = number(content, 0)
    return count, content[at:]


def sized(content: bytes) -> bytes:
    return leb(len(content)) + content


def numbers(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = number(data, at)
        yield value


def number(data: bytes, at: int) -> tuple[int, int]:
    """A number in LEB128, and where the next thing begins."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def leb(value: int) -> bytes:
    """Without the sign that constants have: the sixth bit of the last byte of each number here is clear."""
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)
