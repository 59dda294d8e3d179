"""Who may talk to a server on one's own machine.

A page from anywhere, open in the same browser, can send requests to localhost. Two things stop it:

* Cross-site requests: a browser names the page that sends a POST in ``Origin``, which must be this server. (Nothing
  but the answer is at stake, but a model is minutes of the machine's time.)
* DNS rebinding: a site can let its own name point to 127.0.0.1 from one minute to the next; its page then counts as
  coming from this server, and reads all answers. Its name still stands in ``Host``, which must be one of ours.
"""

import ipaddress
import re
import socket

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nanochat.chat.asked import Refusal

LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
EVERYWHERE = frozenset({"0.0.0.0", "::"})
HOST = re.compile(r"(\[(?P<address>[\da-fA-F:.]+)\]|(?P<name>[\w.-]+))(:\d+)?", re.ASCII)
# The page and nothing else: its own files, no plugin, no frame around it, and text never becomes code.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def is_address(name: str) -> bool:
    """Whether it is an IP address, which needs no DNS, so that nobody can rebind it."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class Guard:
    """Refuses requests for another host or from another site; puts the policy on every response."""

    def __init__(self, app: ASGIApp, host: str = "127.0.0.1") -> None:
        self.app = app
        self.names = LOCAL | {host.lower()}
        self.is_public = host in EVERYWHERE
        if self.is_public:  # the user has said that others may come: by this machine's name, or an address of it
            self.names |= {socket.gethostname().lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        try:
            self.check(scope["method"], Headers(scope=scope))
        except Refusal as refusal:
            response = JSONResponse(refusal.as_json(), refusal.status)
            await response(scope, receive, send_with_headers)
            return
        await self.app(scope, receive, send_with_headers)

    def check(self, method: str, headers: Headers) -> None:
        """Raise :class:`Refusal` for what isn't meant for this server or doesn't come from its page."""
        host = headers.get("host", "")
        if not self.knows(host):
            names = ", ".join(sorted(self.names - EVERYWHERE))
            raise Refusal("Host", f"found {host[:100]!r}", f"this server goes by {names}; --host adds a name", 403)
        origin = headers.get("origin")  # a program that is no browser sends none
        if method != "GET" and origin is not None and origin.partition("://")[2] != host:
            raise Refusal("Origin", f"found {origin[:100]!r}", f"only pages of {host} may ask this server", 403)

    def knows(self, host: str) -> bool:
        """Whether a Host header, ``name`` or ``name:port``, means this server."""
        match = HOST.fullmatch(host)
        name = (match["address"] or match["name"]).lower() if match else ""
        return name in self.names or (self.is_public and is_address(name))
