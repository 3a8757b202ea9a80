"""The least an ASGI server can do: the yardstick of the tracking benchmark."""

from postroom.kit.asgi import Receive, Scope, Send

_BODY = bytes(43)  # as long as the pixel
_HEADERS = [(b"content-type", b"image/gif"), (b"content-length", b"43")]


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer the pixel and do nothing else."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})
