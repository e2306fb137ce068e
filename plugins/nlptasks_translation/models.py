"""What is translated, with which glossary, and what comes back."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from nlptasks import GenerationOptions, Text, UnknownNameError
from nlptasks.text import language_code
from nlptasks_translation.glossary import Glossary, parse_glossary


class TranslationInput(BaseModel):
    """A text and the languages to translate it from and into, as BCP-47 codes once validated."""

    model_config = ConfigDict(frozen=True)

    source: Text = Field(description="What to translate.")
    source_lang: str | None = Field(
        default=None,
        validation_alias=AliasChoices("source_lang", "from"),
        description="Language of the text, as code or name; detected if not given.",
    )
    target_lang: str = Field(
        default="",
        validate_default=True,
        validation_alias=AliasChoices("target_lang", "to"),
        description="Language to translate into, as code or name.",
        examples=["de"],
    )

    @field_validator("source")
    @classmethod
    def _has_text(cls, source: str) -> str:
        if not source.strip():
            raise ValueError("the text is empty")
        return source

    @field_validator("target_lang", mode="before")
    @classmethod
    def _is_said(cls, language: Any) -> Any:
        if not language:
            raise ValueError("say the target language: --to de")
        return language

    @field_validator("source_lang", "target_lang")
    @classmethod
    def _code(cls, language: str | None) -> str | None:
        try:
            return None if language is None else language_code(language)
        except UnknownNameError as error:
            raise ValueError(str(error)) from None


class TranslationOptions(GenerationOptions):
    """How to translate."""

    glossary: Text | None = Field(default=None, description="Terms to keep to, a line each: term = translation.")

    @field_validator("glossary")
    @classmethod
    def _is_glossary(cls, glossary: str | None) -> str | None:
        parse_glossary(glossary or "")
        return glossary

    @cached_property
    def terms(self) -> Glossary:
        """The glossary's terms."""
        return parse_glossary(self.glossary or "")


class TranslationOutput(BaseModel):
    """A translation."""

    translation: str = Field(description="The translation.")
    source_lang: str | None = Field(default=None, description="Language of the text as a BCP-47 code, if known.")
    target_lang: str = Field(description="Language of the translation as a BCP-47 code.")
    glossary_missed: list[str] = Field(
        default=[], description="Terms of the glossary whose translation is missing where they occur."
    )
    truncated: bool = Field(default=False, description="Whether a line was cut off at max_new_tokens.")
