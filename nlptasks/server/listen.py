"""The app on an address, until it is told to end."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import uvicorn

from nlptasks.errors import ConfigError
from nlptasks.server.app import create_app
from nlptasks.server.service import Service

BACKLOG = 2048


@dataclass(frozen=True)
class Address:
    """Where to listen; port 0 is any that is free."""

    host: str
    port: int

    @property
    def private(self) -> bool:
        """Whether only this machine can call it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    @property
    def hosts(self) -> list[str]:
        """The names it may be called by."""
        return ["localhost", "127.0.0.1", "::1", "[::1]", self.host] if self.private else ["*"]

    def bind(self) -> socket.socket:
        """Return a socket that listens.

        Raises:
            ConfigError: it cannot.
        """
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=BACKLOG)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise ConfigError(f"Cannot listen at {self.host}, port {self.port} ({reason}): choose another.") from None


def serve(service: Service, listening: socket.socket, hosts: Sequence[str], say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is running; ``say`` gets the address once it answers."""
    host, port = listening.getsockname()[:2]
    config = uvicorn.Config(
        create_app(service, hosts),
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(service.bounds.seconds),
    )
    say(f"Serving {service.model} at http://{f'[{host}]' if ':' in host else host}:{port} (Ctrl-C ends it)")
    uvicorn.Server(config).run(sockets=[listening])
