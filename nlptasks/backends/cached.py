"""Keeps completions on disk and answers a request seen before from there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nlptasks.backends.base import Answer, Backend, K, Session, warn_once
from nlptasks.backends.wrapper import Wrapper, WrapperSession
from nlptasks.records import Completion, Delta, Request, Usage

SCHEMA = "CREATE TABLE IF NOT EXISTS completions (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID"


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
    if not path.is_file():
        return CacheInfo(path, 0, 0)
    with closing(Store(path)) as store:
        return store.info()


def clear_cache() -> int:
    """Delete the cache and return how many bytes that freed."""
    files = [file for file in _files(cache_file()) if file.is_file()]
    freed = sum(file.stat().st_size for file in files)
    for file in files:
        file.unlink()
    return freed


def _files(path: Path) -> list[Path]:
    return [path, *(path.with_name(path.name + ending) for ending in ("-wal", "-shm"))]


class Store:
    """A table of completions. A damaged or unwritable file is warned of once and taken for empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.execute(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            self._give_up(error)

    def get(self, key: str) -> Completion | None:
        """Return the completion kept under ``key``, marked as cached, or None."""
        rows = self._execute("SELECT value FROM completions WHERE key = ?", key)
        if not rows:
            return None
        value = json.loads(rows[0][0])
        return Completion(**{**value, "usage": Usage(**value["usage"]), "cached": True})

    def put(self, key: str, completion: Completion) -> None:
        """Keep a completion."""
        value = json.dumps(asdict(replace(completion, cached=False)), ensure_ascii=False)
        self._execute("INSERT OR REPLACE INTO completions VALUES (?, ?)", key, value)

    def info(self) -> CacheInfo:
        """Return how much is kept."""
        rows = self._execute("SELECT count(*) FROM completions")
        size = sum(file.stat().st_size for file in _files(self.path) if file.is_file())
        return CacheInfo(self.path, rows[0][0] if rows else 0, size)

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
        warn_once(f"Going on without the cache {self.path}: {error}. Empty it with: nlptasks cache clear")


class Cached(Wrapper):
    """Looks every request up in a Store; failures are never kept."""

    def __init__(self, inner: Backend, store: Store) -> None:
        super().__init__(inner)
        self._store = store
        self._prefix = json.dumps(dict(inner.identity()), sort_keys=True)

    def key(self, request: Request) -> str:
        """Return the sha256 of the backend's identity and the request."""
        return hashlib.sha256(f"{self._prefix}\0{request.digest()}".encode()).hexdigest()

    def open(self) -> Session[Any]:
        return _CachedSession(self, self.inner.open(), self._store)

    def stream(self, request: Request) -> Iterator[Delta | Answer]:
        key = self.key(request)
        if hit := self._store.get(key):
            yield Delta(hit.text, hit.reasoning)
            yield hit
            return
        for item in self.inner.stream(request):
            if isinstance(item, Completion):
                self._store.put(key, item)
            yield item

    def close(self) -> None:
        self._store.close()
        super().close()


class _CachedSession(WrapperSession[K]):
    def __init__(self, backend: Cached, inner: Session[K], store: Store) -> None:
        super().__init__(inner)
        self._backend, self._store = backend, store
        self._keys: dict[K, str] = {}

    def put(self, key: K, request: Request) -> None:
        place = self._backend.key(request)
        if hit := self._store.get(place):
            self.ready.append((key, hit))
        else:
            self._keys[key] = place
            self.inner.put(key, request)

    def received(self, key: K, answer: Answer) -> tuple[K, Answer]:
        place = self._keys.pop(key)
        if isinstance(answer, Completion):
            self._store.put(place, answer)
        return key, answer
