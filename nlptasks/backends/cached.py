"""Keeps completions on disk and answers a request seen before from there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nlptasks.backends.base import Answer, Backend, K, Session, warn_once
from nlptasks.backends.wrapper import Hand, Wrapper, WrapperSession, digest_of
from nlptasks.records import Completion, Delta, Request, Usage, jsonable
from nlptasks.seal import sealed, unsealed

SCHEMA = "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"
PATIENCE_S = 30.0  # how long a process waits for others that write the same file


def cache_file() -> Path:
    """Return where the cache lies: one SQLite file in the user's cache directory."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("nlptasks")) / "completions.sqlite"


@dataclass(frozen=True)
class CacheInfo:
    """What ``cache info`` shows; ``bytes`` counts the file with its journal."""

    path: Path
    completions: int
    bytes: int


def cache_info() -> CacheInfo:
    """Return how much the cache holds; nothing is created."""
    path = cache_file()
    size = sum(file.stat().st_size for file in _files(path))
    if not size:
        return CacheInfo(path, 0, 0)
    with closing(Store(path)) as store:
        return CacheInfo(path, store.count(), size)


def clear_cache() -> int:
    """Delete the cache and return how many bytes that freed."""
    files = _files(cache_file())
    freed = sum(file.stat().st_size for file in files)
    for file in files:
        file.unlink()
    return freed


def _files(path: Path) -> list[Path]:
    every = [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]
    return [file for file in every if file.is_file()]


def _connect(path: Path) -> sqlite3.Connection:
    from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_random

    def prepare() -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(SCHEMA)

    connection = sqlite3.connect(path, timeout=PATIENCE_S, isolation_level=None, check_same_thread=False)
    try:
        # SQLite switches to WAL without the patience it has elsewhere: two processes that start together collide.
        locked = retry_if_exception(lambda error: "locked" in str(error))
        Retrying(retry=locked, stop=stop_after_delay(PATIENCE_S), wait=wait_random(0.01, 0.1), reraise=True)(prepare)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


class Store:
    """A table of completions. A damaged or unwritable file is warned of once and taken for empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = _connect(path)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, key: str) -> Completion | None:
        """Return the completion kept under ``key``, marked as cached, or None."""
        rows = self._execute("SELECT value FROM completions WHERE key = ?", key)
        try:
            value = unsealed(rows[0][0].encode()) or {}
            del value["crc32"]
            return Completion(**{**value, "usage": Usage(**value["usage"]), "cached": True})
        except (IndexError, AttributeError, TypeError, KeyError):  # none, or one that another version has written
            return None

    def put(self, key: str, completion: Completion) -> None:
        """Keep a completion; one that has no form in JSON is warned of and not kept."""
        try:
            value = sealed(json.dumps(replace(completion, cached=False), default=jsonable).encode()).decode()
        except (TypeError, ValueError) as error:
            warn_once(f"Some answers cannot be kept in the cache: {error}")
        else:
            self._execute("INSERT OR REPLACE INTO completions VALUES (?, ?)", key, value)

    def count(self) -> int:
        """Return how many completions are kept."""
        rows = self._execute("SELECT count(*) FROM completions")
        return rows[0][0] if rows else 0

    def close(self) -> None:
        """Close the file."""
        if self._connection:
            self._connection.close()
            self._connection = None

    def _execute(self, statement: str, *values: str) -> list[Any]:
        if self._connection is None:
            return []
        try:
            with closing(self._connection.execute(statement, values)) as cursor:
                return cursor.fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def _give_up(self, error: Exception) -> None:
        self.close()
        warn_once(f"Going on without the cache {self.path}: {error}. If it is damaged, empty it: nlptasks cache clear")


class Cached(Wrapper):
    """Looks requests up in a Store, those that are expected to repeat; failures are never kept."""

    def __init__(self, inner: Backend, store: Store) -> None:
        super().__init__(inner)
        self._store = store
        self._prefix = json.dumps(dict(inner.identity()), sort_keys=True)

    def key(self, request: Request) -> str | None:
        """Return the sha256 of the backend's identity and the request, None for a request that is not kept."""
        digest = digest_of(request) if request.config.repeatable else None
        return digest and hashlib.sha256(f"{self._prefix}\0{digest}".encode()).hexdigest()

    def open(self) -> Session[Any]:
        return _CachedSession(self, self.inner.open())

    def look_up(self, key: str | None) -> Completion | None:
        """Return what is kept under a key."""
        return None if key is None else self._store.get(key)

    def keep(self, key: str | None, answer: Delta | Answer) -> None:
        """Keep an answer that is a Completion."""
        if key is not None and isinstance(answer, Completion):
            self._store.put(key, answer)

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        key = self.key(request)
        if hit := self.look_up(key):
            yield Delta(hit.text, hit.reasoning)
            yield hit
            return
        for item in self.inner.stream(request):
            self.keep(key, item)
            yield item

    def close(self) -> None:
        self._store.close()
        super().close()


class _CachedSession(WrapperSession[K]):
    def __init__(self, backend: Cached, inner: Session[K]) -> None:
        super().__init__(inner)
        self._backend = backend
        self._places: dict[K, str | None] = {}

    def admit(self, key: K, request: Request, hand: Hand[K]) -> None:
        place = self._backend.key(request)
        if hit := self._backend.look_up(place):
            self.ready.append((key, hit))
        else:
            self._places[key] = place
            hand(key, request)

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        self._backend.keep(self._places.pop(key), answer)
        return key, answer

    def drop(self, key: K) -> bool:
        dropped = self.inner.drop(key)
        if dropped:
            del self._places[key]
        return dropped
