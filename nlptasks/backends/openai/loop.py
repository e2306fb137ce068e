"""An event loop in a thread that ends with the process: a script may leave its backend open."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import anyio
from anyio.from_thread import BlockingPortal


class Loop:
    """The loop, running from now on. What runs in it is asked for through its ``portal``.

    anyio's own ``start_blocking_portal`` keeps the interpreter from exiting until it is closed.
    """

    def __init__(self) -> None:
        started: Future[BlockingPortal] = Future()

        async def serve() -> None:
            async with BlockingPortal() as portal:
                started.set_result(portal)
                await portal.sleep_until_stopped()

        self._thread = threading.Thread(target=anyio.run, args=(serve,), name="nlptasks-openai", daemon=True)
        self._thread.start()
        self.portal = started.result()

    def close(self) -> None:
        """End the loop, and wait for that."""
        self.portal.call(self.portal.stop)
        self._thread.join()
