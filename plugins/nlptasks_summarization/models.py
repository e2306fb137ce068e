"""What a summary is made from, how it should look, and what comes back."""

from __future__ import annotations

from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from nlptasks import Documents, GenerationOptions, UnknownNameError
from nlptasks.text import language_code

SENTENCES = {"short": 2, "medium": 5, "long": 12}
BULLETS = {"short": 3, "medium": 5, "long": 8}
HEADLINE_WORDS = {"short": 6, "medium": 12, "long": 20}
TOKENS = {"short": 192, "medium": 384, "long": 1024}
TOKENS_PER_WORD = 4  # generous: scripts that tokenizers know badly take this many
TOKENS_PER_SENTENCE = 80


class SummarizationInput(BaseModel):
    """One document, or several that are summarized together."""

    model_config = ConfigDict(frozen=True)

    documents: Documents = Field(
        validation_alias=AliasChoices("document", "documents"), description="What to summarize."
    )
    title: str | None = Field(default=None, description="Title of the document.")
    query: str | None = Field(default=None, description="Question that the summary is to answer.")

    @field_validator("documents")
    @classmethod
    def _have_text(cls, documents: Documents) -> Documents:
        filled = tuple(document for document in documents if document.text.strip())
        if not filled:
            raise ValueError("the document is empty")
        return filled


class SummarizationOptions(GenerationOptions):
    """How long the summary is, in which form and language."""

    length: Literal["short", "medium", "long"] = Field(default="medium", description="How long the summary is.")
    max_words: int | None = Field(
        default=None, ge=1, description="Most words; characters in Chinese, Japanese and Thai."
    )
    max_sentences: int | None = Field(default=None, ge=1, description="Most sentences, or bullet points.")
    style: Literal["paragraph", "bullets", "headline"] = Field(default="paragraph", description="Form of the summary.")
    language: str | None = Field(default=None, description="Language of the summary, as code or name.")

    @field_validator("language")
    @classmethod
    def _code(cls, language: str | None) -> str | None:
        try:
            return None if language is None else language_code(language)
        except UnknownNameError as error:
            raise ValueError(str(error)) from None

    @property
    def most_sentences(self) -> int | None:
        """The most sentences or bullet points; None where the words alone are counted."""
        if self.style == "headline":
            return 1
        if self.max_sentences or self.max_words:
            return self.max_sentences
        return (BULLETS if self.style == "bullets" else SENTENCES)[self.length]

    def most_words(self, unspaced: bool = False) -> int | None:
        """Return the most words, or characters where words are ``unspaced``; None if sentences alone are counted."""
        if self.style == "headline" and not self.max_words:
            return HEADLINE_WORDS[self.length] * (2 if unspaced else 1)
        return self.max_words

    @property
    def default_new_tokens(self) -> int:
        """How many tokens a summary of this length may take in any language."""
        if words := self.most_words():
            return 64 + TOKENS_PER_WORD * words
        if self.max_sentences:
            return 64 + TOKENS_PER_SENTENCE * self.max_sentences
        return TOKENS[self.length]


class SummarizationOutput(BaseModel):
    """A summary."""

    summary: str = Field(description="The summary.")
    chunks: int = Field(default=1, description="In how many pieces the documents were read; 1 if at once.")
    language: str | None = Field(default=None, description="Language of the summary as a BCP-47 code, if known.")
    truncated: bool = Field(default=False, description="Whether the summary was cut off at max_new_tokens.")
