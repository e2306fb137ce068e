"""A guard: what identifies a person leaves as a placeholder, and stands in the answer again.

All hooks of a request share its Vault, which lives in memory only. What is imported late costs nothing at ``--help``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nlptasks import Completion, Delta, Request, hookimpl

if TYPE_CHECKING:
    from nlptasks_pii.vault import Vault


@hookimpl
def before_generate(request: Request) -> tuple[Request, Vault]:
    """Send placeholders in place of identifiers."""
    from nlptasks_pii.vault import Vault

    vault = Vault(request)
    return vault.guarded, vault


@hookimpl
def during_generate(deltas: Iterator[Delta], state: Vault) -> Iterator[Delta]:
    """Show a streamed answer with the identifiers in it."""
    from nlptasks_pii.stream import restored

    return restored(deltas, state)


@hookimpl
def after_generate(completion: Completion, state: Vault) -> Completion:
    """Show an answer with the identifiers in it."""
    return state.completion(completion)
