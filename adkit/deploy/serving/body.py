"""Reading what a client sends: no more than allowed, and not for ever."""

import asyncio
from collections.abc import AsyncIterator

from adkit.deploy.serving.errors import ServiceError

# what a form may have beside its file
OVERHEAD, MOST_PARTS = 65_536, 8


async def read_body(
    stream: AsyncIterator[bytes], declared: str | None, limit: int, silence: float, deadline: float
) -> bytes:
    """The whole body, unless it is too long or too slow.

    Args:
        stream: of the request.
        declared: its Content-Length; None where it comes in chunks.
        limit: bytes at most; not one more is kept.
        silence: seconds between two chunks at most.
        deadline: time of the event loop by which all must be there.

    Raises:
        ServiceError: too_large, body_timeout, client_gone or bad_request.
    """
    from starlette.requests import ClientDisconnect

    if declared is not None:
        if not declared.isdecimal():
            raise ServiceError("bad_request", "Content-Length is no number")
        if int(declared) > limit:
            raise _too_large(limit)
    chunks, size, loop = [], 0, asyncio.get_running_loop()
    while True:
        left = min(silence, deadline - loop.time())
        try:
            chunk = await asyncio.wait_for(_next(stream), max(left, 0.001))
        except TimeoutError:
            raise ServiceError("body_timeout", "the body came too slowly; send the image at once", silence) from None
        except ClientDisconnect:
            raise ServiceError("client_gone", "the client has gone") from None
        if chunk is None:
            return b"".join(chunks)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)


def file_of_form(body: bytes, content_type: str) -> bytes:
    """The one file of a multipart form, whose field is called ``file``.

    Args:
        body: of the request.
        content_type: with the boundary.

    Raises:
        ServiceError: bad_request, if there is not exactly one.
    """
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise ServiceError("bad_request", "the form has no boundary")
    parts = _Parts()
    callbacks = {
        "on_part_begin": parts.begin, "on_part_data": parts.data, "on_header_field": parts.header_field,
        "on_header_value": parts.header_value, "on_header_end": parts.header_end,
        "on_end": parts.end,
    }  # fmt: skip
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise ServiceError("bad_request", "the form is damaged") from error
    if not parts.ended:
        raise ServiceError("bad_request", "the form is incomplete")
    named = [content for name, content in parts.found if name == b"file"]
    if len(named) != 1 or len(parts.found) != 1:
        raise ServiceError("bad_request", f"send one field 'file' and nothing else, got {len(parts.found)} part(s)")
    return b"".join(named[0])


class _Parts:
    """The parts of a form as a parser finds them."""

    def __init__(self):
        self.found: list[tuple[bytes, list[bytes]]] = []
        self.field, self.value, self.ended = b"", b"", False

    def begin(self) -> None:
        if len(self.found) >= MOST_PARTS:
            raise ServiceError("bad_request", f"the form has more than {MOST_PARTS} parts", MOST_PARTS)
        self.found.append((b"", []))

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self.field += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self.value += data[start:end]

    def header_end(self) -> None:
        from python_multipart.multipart import parse_options_header

        if self.field.lower() == b"content-disposition":
            self.found[-1] = (parse_options_header(self.value)[1].get(b"name", b""), [])
        self.field = self.value = b""

    def data(self, data: bytes, start: int, end: int) -> None:
        self.found[-1][1].append(data[start:end])

    def end(self) -> None:
        self.ended = True


async def _next(stream: AsyncIterator[bytes]) -> bytes | None:
    return await anext(stream, None)


def _too_large(limit: int) -> ServiceError:
    return ServiceError("too_large", f"the body has more than {limit} bytes", limit, {"Connection": "close"})
