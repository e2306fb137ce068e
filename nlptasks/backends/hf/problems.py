"""What goes wrong while loading, in words that say what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nlptasks.errors import ModelError, NLPTasksError

if TYPE_CHECKING:
    from nlptasks.backends.hf.loading import Source


@contextmanager
def translated(source: Source) -> Iterator[None]:
    """Turn what transformers, safetensors and the hub raise into a ModelError of one line."""
    try:
        yield
    except NLPTasksError:
        raise
    except Exception as error:
        raise ModelError(_explain(source, error)) from error


def _explain(source: Source, error: Exception) -> str:
    from huggingface_hub import errors as hub
    from safetensors import SafetensorError

    model, chain = repr(source.model), list(_causes(error))

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    text = " ".join(str(error).split())
    if caused_by(SafetensorError):
        return f"The weights of {model} are damaged ({text}): download or save them again."
    if caused_by(hub.GatedRepoError):
        return f"{model} is gated: accept its terms on the hub, then log in with `hf auth login`."
    if caused_by(hub.RevisionNotFoundError):
        return f"{model} has no revision {source.options.revision!r} on the hub."
    if caused_by(hub.RepositoryNotFoundError, hub.HFValidationError):
        return f"No model {model}, neither as a folder nor on the hub: check the name, or log in if it is private."
    if caused_by(hub.OfflineModeIsEnabled) or (source.options.offline and caused_by(hub.LocalEntryNotFoundError)):
        return f"{model} is neither a folder nor downloaded before: run once without --offline and HF_HUB_OFFLINE."
    if caused_by(hub.LocalEntryNotFoundError, ConnectionError) or "couldn't connect" in text:
        return unreachable(source.model)
    if source.options.attention and ("attn_implementation" in text or "ttention" in text):
        return f"{model} cannot use attention {source.options.attention!r} here: try sdpa or eager. ({text})"
    if isinstance(error, OSError) and ("safetensors" in text or "pytorch_model.bin" in text):
        return f"{model} has no safetensors weights, and pickle is never loaded: choose a revision that has them."
    if "trust_remote_code" in text:
        return f"{model} brings its own Python code: allow it with --trust-remote-code if you trust it."
    return f"{model} cannot be loaded: {text or type(error).__name__}"


def unreachable(model: str) -> str:
    """Return the line for a hub that does not answer."""
    return f"The hub cannot be reached to fetch {model!r}: give a local folder, or --offline if it is downloaded."


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
