"""The embedded backend: summaries and answers without a download, by picking sentences."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_backends() -> list[Spec]:
    """Contribute the backend."""
    return [
        Spec(
            name="embedded",
            target="nlptasks_embedded.backend:load",
            summary="summarizes and answers by picking sentences, in any language; needs no download",
        )
    ]
