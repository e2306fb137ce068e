"""Other ways to ask a server many times at once, each told the limit: ``python clients.py bare|lm-eval|inspect 5000``.

``$BENCHMARK_SERVER`` is the server's address. Imports only what the chosen one needs: it may run in an environment
without nlptasks.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

WORKERS = 64
URL = os.environ.get("BENCHMARK_SERVER", "") + "/v1"


def messages(number: int) -> list[dict[str, str]]:
    """Return one request's messages."""
    return [{"role": "user", "content": f"Row {number}: what did the council do?"}]


async def bare(requests: int) -> None:
    """Ask with as many workers as the server has room for, on the HTTP client of nlptasks' own backend."""
    import httpx
    from httpx_aiohttp import HttpxAiohttpClient

    numbers, headers = iter(range(requests)), {"Content-Type": "application/json"}

    async def work() -> None:
        for number in numbers:
            body = json.dumps({"model": "m", "messages": messages(number), "temperature": 0.0}).encode()
            answer = await client.post(f"{URL}/chat/completions", content=body, headers=headers)
            json.loads(answer.raise_for_status().content)

    async with HttpxAiohttpClient(limits=httpx.Limits(max_connections=WORKERS), timeout=300) as client:
        await asyncio.gather(*(work() for _ in range(WORKERS)))


def lm_eval(requests: int) -> None:
    """Ask through lm-eval's ``local-chat-completions``."""
    from lm_eval.api.instance import Instance  # type: ignore[import-not-found]
    from lm_eval.models.openai_completions import LocalChatCompletion  # type: ignore[import-not-found]

    model = LocalChatCompletion(
        model="m", base_url=f"{URL}/chat/completions", num_concurrent=WORKERS, max_retries=6, tokenizer_backend=None
    )
    chats = [model.apply_chat_template(messages(number)) for number in range(requests)]
    asked = [
        Instance("generate_until", {}, (chat, {"until": [], "max_gen_toks": 16}), number)
        for number, chat in enumerate(chats)
    ]
    assert len(model.generate_until(asked)) == requests


def inspect(requests: int) -> None:
    """Ask through an inspect evaluation that generates once for each sample."""
    from inspect_ai import Task  # type: ignore[import-not-found]
    from inspect_ai import eval as evaluate
    from inspect_ai.dataset import Sample  # type: ignore[import-not-found]
    from inspect_ai.solver import generate  # type: ignore[import-not-found]

    samples = [Sample(messages(number)[0]["content"]) for number in range(requests)]
    [log] = evaluate(
        Task(samples, solver=generate()),
        model="openai-api/server/m",
        model_base_url=URL,
        model_args={"api_key": "none"},
        max_connections=WORKERS,
        max_samples=4 * WORKERS,
        display="none",
        log_dir=str(Path("inspect-logs").resolve()),
    )
    assert log.status == "success", log.error


if __name__ == "__main__":
    chosen, count = sys.argv[1], int(sys.argv[2])
    if chosen == "bare":
        asyncio.run(bare(count))
    else:
        {"lm-eval": lm_eval, "inspect": inspect}[chosen](count)
