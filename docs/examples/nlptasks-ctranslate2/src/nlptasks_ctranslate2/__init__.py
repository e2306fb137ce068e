"""The CTranslate2 backend: Marian, T5, Llama and their relatives, converted once and run in int8."""

from nlptasks import Spec, hookimpl


@hookimpl
def register_backends() -> list[Spec]:
    """Contribute the backend: ``ctranslate2/<hub id or folder>``."""
    return [Spec("ctranslate2", "nlptasks_ctranslate2.load:load", "int8 models on a CPU or GPU: Marian, T5, Llama ...")]
