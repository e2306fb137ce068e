"""When to stop asking."""

from __future__ import annotations

from nlptasks.records import Failure


class Circuit:
    """Spares a session's requests the wait for a server that is gone.

    It opens when three requests used up all their tries and the server said nothing meanwhile, not even an
    error. From then on every request of the session fails at once.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self._silent = 0

    def heard(self) -> None:
        """Note that the server spoke, be it an error."""
        self._silent = 0

    def gave_up(self, failure: Failure) -> None:
        """Note that a request used up its tries, and heard nothing in the last."""
        self._silent += 1
        if self._silent >= 3:
            self.failure = failure
