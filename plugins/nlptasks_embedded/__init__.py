"""The embedded backend: summaries, answers and translations without a download, by small models of our own."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_backends() -> list[Spec]:
    """Contribute the backend."""
    return [
        Spec(
            name="embedded",
            target="nlptasks_embedded.backend:load",
            summary="small models of one task each, in this package: needs no download",
        )
    ]
