"""Documents in groups that a backend can read at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nlptasks import Document
from nlptasks.text import split_to_fit

LEAST_TEXT = "."  # a backend may take an empty text for none at all
LEAST_ROOM = 64
"""Tokens of text below which reading piece by piece makes no sense."""


@dataclass(frozen=True)
class Reader:
    """A reader of at most ``size`` tokens; ``count`` gives those of a request about some documents."""

    size: int
    count: Callable[[Sequence[Document]], int]

    def fits(self, documents: Sequence[Document]) -> bool:
        """Return whether the documents can be read at once."""
        return self.count(documents) <= self.size

    def groups(self, documents: Sequence[Document]) -> list[tuple[Document, ...]]:
        """Return all the documents' text, in order, in groups that fit: whole where possible, else cut at sentences.

        Raises:
            ValueError: the prompt leaves no room for text.
        """
        groups: list[tuple[Document, ...]] = [()]
        for document in documents:
            for piece in self._split(document, self.size):
                if groups[-1] and not self.fits((*groups[-1], piece)):
                    groups.append(())
                groups[-1] = (*groups[-1], piece)
        return groups

    def shortened(self, document: Document) -> Document:
        """Return the beginning of a document, cut at a sentence so that four of its kind can be read at once.

        Summaries of parts are put together so: whatever a model answers, each round leaves fewer of them.
        """
        prompt = self._prompt(document)
        pieces = self._split(document, prompt + (self.size - prompt) // 4)
        return pieces[0] if pieces else document

    def _split(self, document: Document, size: int) -> list[Document]:
        self._prompt(document)
        texts = split_to_fit(document.text, size, lambda text: self.count([_with_text(document, text)]))
        return [_with_text(document, text) for text in texts]

    def _prompt(self, document: Document) -> int:
        """Return the tokens of everything but the document's text."""
        prompt = self.count([_with_text(document, LEAST_TEXT)])
        if self.size - prompt < LEAST_ROOM:
            raise ValueError(
                f"the model has room for {self.size} tokens of prompt, of which the instructions take {prompt}: "
                "lower max_new_tokens or choose a model with a larger context"
            )
        return prompt


def _with_text(document: Document, text: str) -> Document:
    return Document(text=text, name=document.name)
