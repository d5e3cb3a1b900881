"""Starts FastMCP on 127.0.0.1, guarded by the in-memory OAuth provider it ships, and says READY on stdout.

PORT: 0 or absent takes a free one. Ends when stdin is closed.
"""

import json
import os
import socket
import sys
import threading

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth.auth import ClientRegistrationOptions, RevocationOptions
from fastmcp.server.auth.providers.in_memory import InMemoryOAuthProvider

PATH = "/mcp"


class Announced(uvicorn.Server):
    """A uvicorn server that reports when it accepts requests."""

    def __init__(self, config, facts):
        super().__init__(config)
        self.facts = facts

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        print("READY", json.dumps(self.facts), flush=True)


def end_with_stdin():
    sys.stdin.buffer.read()
    os._exit(0)


def main():
    # The port first, because the issuer names it.
    listener = socket.create_server(("127.0.0.1", int(os.environ.get("PORT", "0"))))
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"

    mcp = FastMCP(
        "interop",
        auth=InMemoryOAuthProvider(
            base_url=origin,
            client_registration_options=ClientRegistrationOptions(
                enabled=True, valid_scopes=["read", "write"], default_scopes=["read"]
            ),
            revocation_options=RevocationOptions(enabled=True),
            required_scopes=["read"],
        ),
    )

    @mcp.tool
    def greet(name: str) -> str:
        """Greets someone by name."""
        return f"Hello, {name}."

    # The issuer as it is published: the provider adds a slash to a URL without a path.
    facts = {"issuer": f"{origin}/", "resource": origin + PATH, "scopes": ["read", "write"]}
    config = uvicorn.Config(mcp.http_app(path=PATH), log_level="warning", lifespan="on")
    threading.Thread(target=end_with_stdin, daemon=True).start()
    Announced(config, facts).run(sockets=[listener])


if __name__ == "__main__":
    main()
