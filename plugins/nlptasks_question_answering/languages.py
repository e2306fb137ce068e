"""The languages of multilingual benchmarks: names alone, so that listing them costs nothing."""

from __future__ import annotations

XQUAD = ("ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh")
MLQA = ("ar", "de", "en", "es", "hi", "vi", "zh")
