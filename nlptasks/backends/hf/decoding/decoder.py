"""The running batch: rows enter when there is room, all take a step together, each leaves when it is done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from nlptasks.backends.hf.decoding.attention import PACKED, Layout, Stretch
from nlptasks.backends.hf.decoding.cache import Prefix, Slots
from nlptasks.backends.hf.decoding.prefixes import common, shared
from nlptasks.backends.hf.decoding.sampling import Sampling, choose

READ = 2048
"""Tokens of prompts that are read in one step."""
KEPT = 8
"""Prefixes that are kept for later prompts."""
REMEMBERED = 32
"""Earlier prompts that a new one is compared with: where prompts come one by one, few wait beside it."""


@dataclass(eq=False)
class Writer:
    """One prompt under way. ``ends`` are tokens that end it, ``stops`` tells whether its tokens hold a stop text.

    ``sampling`` draws its tokens; without it the likeliest is taken.
    """

    ids: list[int]
    most: int
    ends: frozenset[int]
    stops: Callable[[Sequence[int]], bool] | None = None
    sampling: Sampling | None = None
    new: list[int] = field(default_factory=list)
    prefix: Prefix | None = None
    stored: int = 0
    """Tokens whose keys and values are in the slot."""
    begun: float = 0.0
    """When it entered the batch, as ``time.perf_counter`` tells."""

    @property
    def behind(self) -> int:
        """Tokens of the prefix."""
        return len(self.prefix) if self.prefix else 0

    @property
    def own(self) -> list[int]:
        """The tokens of the prompt that are the row's alone."""
        return self.ids[self.behind :]

    @property
    def size(self) -> int:
        """The most tokens the slot must hold."""
        return len(self.ids) - self.behind + self.most

    @property
    def read(self) -> bool:
        """Whether all of the prompt is stored."""
        return self.stored >= len(self.ids) - self.behind

    def done(self) -> bool:
        """Return whether the newest token is the last."""
        return (
            self.new[-1] in self.ends or len(self.new) >= self.most or (self.stops is not None and self.stops(self.new))
        )

    def begin_again(self) -> None:
        """Forget all that was stored and written."""
        self.new, self.prefix, self.stored = [], None, 0
        if self.sampling:
            self.sampling.begin_again()


class Decoder:
    """A model with its running batch; at most ``tokens`` stand in the cache at once."""

    def __init__(self, model: Any, tokens: int) -> None:
        self.model, self.tokens = model, tokens
        self.waiting: list[Writer] = []
        self.active: list[Writer] = []
        self._slots = Slots(0, 0)
        self._prefixes: list[Prefix] = []
        self._earlier: deque[Sequence[int]] = deque(maxlen=REMEMBERED)

    def add(self, rows: Sequence[Writer]) -> None:
        """Let rows wait; the longest enter first, so that those that run together are of like length."""
        self.waiting = sorted([*self.waiting, *rows], key=lambda row: len(row.ids) + row.most)

    def drop(self, row: Writer) -> None:
        """Forget a row that nobody waits for any more."""
        if row in self.active:
            self._take_out(row)
        else:
            self.waiting.remove(row)

    def step(self) -> list[Writer]:
        """Compute one token for every row, and return the rows that are done."""
        self._admit()
        reading = [row for row in self.active if not row.read]
        writing = self.active[: len(self.active) - len(reading)]
        stretches, room = [], READ
        for row in reading:
            count = min(room, len(row.own) - row.stored)
            room -= count
            if count:
                stretches.append((row, count))
        self._forward(writing, stretches)
        return self._leave()

    def retreat(self) -> list[Writer]:
        """Begin again with half as many tokens after memory ran out; return the row that is too long by itself."""
        back = self.active or [self.waiting.pop()]
        self.active, self._slots, self._prefixes = [], Slots(0, 0), []
        if len(back) == 1:
            return back
        for row in back:
            row.begin_again()
        self.tokens = max(1, min(self.tokens, sum(row.size for row in back)) // 2)
        self.add(back)
        return []

    def _admit(self) -> None:
        while self.waiting:
            row = self.waiting[-1]
            self._share(row)
            rows = len(self.active) + 1
            capacity = max([row.size, *(each.size for each in self.active)])
            held = sum(len(prefix) for prefix in self._prefixes)
            if self.active and rows * capacity + held > self.tokens:
                return
            if rows > self._slots.rows or capacity > self._slots.capacity:
                room = max(rows, min(2 * rows, (self.tokens - held) // capacity, rows + len(self.waiting)))
                self._slots = self._slots.resized(room, max(capacity, self._slots.capacity), len(self.active))
            row.begun = time.perf_counter()
            self.active.append(self.waiting.pop())
            self._earlier.append(row.ids)
            if sum(len(each.own) - each.stored for each in self.active if not each.read) >= READ:
                return

    def _share(self, row: Writer) -> None:
        """Give a row the longest known prefix, or one that it has in common with others that wait or came before."""
        fitting = [one for one in self._prefixes if common(row.ids, [*one.ids, -1]) == len(one)]
        row.prefix = max(fitting, key=len, default=None)
        others = chain((other.ids for other in self.waiting[:-1]), self._earlier)
        if length := shared(row.ids, others, row.behind):
            row.prefix = self._read_prefix(row.ids[:length])
            self._keep(row.prefix)

    def _read_prefix(self, ids: list[int]) -> Prefix:
        slots = Slots(1, len(ids))
        for first in range(0, len(ids), READ):
            part = ids[first : first + READ]
            stretch = Stretch(0, 0, len(part), first, None)
            self._run(slots, part, range(first, first + len(part)), [0] * len(part), 0, [], [stretch], [])
        return slots.prefix(ids)

    def _keep(self, prefix: Prefix) -> None:
        """Keep a prefix, and let go of the oldest that no row stands behind."""
        self._prefixes.append(prefix)
        used = {prefix, *(row.prefix for row in self.active)}
        for one in [one for one in self._prefixes if one not in used]:
            if len(self._prefixes) <= KEPT and sum(map(len, self._prefixes)) <= self.tokens // 2:
                return
            self._prefixes.remove(one)

    def _forward(self, writing: Sequence[Writer], stretches: Sequence[tuple[Writer, int]]) -> None:
        tokens = [row.new[-1] for row in writing]
        places = [row.stored for row in writing]
        positions = [row.behind + row.stored for row in writing]
        slots = list(range(len(writing)))
        parts, ends = [], list(range(len(writing)))
        for slot, (row, count) in enumerate(stretches, len(writing)):
            parts.append(Stretch(slot, len(tokens), count, row.stored, row.prefix))
            tokens += row.own[row.stored : row.stored + count]
            places += range(row.stored, row.stored + count)
            positions += range(row.behind + row.stored, row.behind + row.stored + count)
            slots += [slot] * count
            row.stored += count
            if row.read:
                ends.append(len(tokens) - 1)
        sharing = _sharing(writing)
        scores = self._run(self._slots, tokens, positions, slots, len(writing), sharing, parts, ends, places)
        for row in writing:
            row.stored += 1
        finished = [*writing, *(row for row, _ in stretches if row.read)]
        for row, token in zip(finished, choose(scores, [row.sampling for row in finished]), strict=True):
            row.new.append(token)

    def _run(
        self,
        cache: Slots,
        tokens: Sequence[int],
        positions: Sequence[int],
        slots: Sequence[int],
        writing: int,
        sharing: Sequence[tuple[Prefix, Sequence[int]]],
        stretches: Sequence[Stretch],
        ends: Sequence[int],
        places: Sequence[int] | None = None,
    ) -> Any:
        """Have the model read tokens, and return the scores (ends, vocabulary) of what follows those at ``ends``."""
        import torch

        device = self.model.device

        def tensor(values: Sequence[int]) -> Any:
            return torch.tensor(list(values), dtype=torch.long, device=device)

        stored = tensor(positions if places is None else places)
        lengths = stored[:writing] + 1
        longest = int(lengths.max()) if writing else 0
        layout = Layout(
            cache,
            tensor(slots),
            stored,
            torch.arange(longest, device=device) >= lengths[:, None],
            [(prefix, tensor(which)) for prefix, which in sharing],
            stretches,
        )
        with PACKED.looking_at(layout, self.model.config.get_text_config()):
            output = self.model(
                input_ids=tensor(tokens)[None],
                position_ids=tensor(positions)[None],
                logits_to_keep=tensor(ends) if ends else 1,
                use_cache=False,
            )
        return output.logits[0, : len(ends)]

    def _leave(self) -> list[Writer]:
        """Take out the rows that are done, and close the gaps they leave."""
        done = [row for row in self.active if row.new and row.done()]
        for row in done:
            self._take_out(row)
        return done

    def _take_out(self, row: Writer) -> None:
        slot = self.active.index(row)
        writing = sum(each.read for each in self.active)
        for source in dict.fromkeys((writing - 1, len(self.active) - 1)):
            if source > slot:
                self._slots.move(source, slot, self.active[source].stored)
                self.active[slot] = self.active[source]
                slot = source
        del self.active[slot]


def _sharing(rows: Sequence[Writer]) -> list[tuple[Prefix, list[int]]]:
    found: dict[Prefix, list[int]] = {}
    for number, row in enumerate(rows):
        if row.prefix is not None:
            found.setdefault(row.prefix, []).append(number)
    return list(found.items())
