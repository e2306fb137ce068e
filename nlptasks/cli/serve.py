"""``nlptasks serve``: every task over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from nlptasks.cli import console
from nlptasks.cli.call import SHARED
from nlptasks.cli.exits import stoppable
from nlptasks.cli.model import backend_parameters, values_of
from nlptasks.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from nlptasks.cli.params import Parameter

MODEL = [one for one in SHARED if one.name in ("model", "cache")]
WHERE = [
    click.Option(["--host"], default="127.0.0.1", show_default=True, help="The address to listen at."),
    click.Option(["--port"], type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 is any free one."),
    click.Option(["--token"], envvar="NLPTASKS_TOKEN", help="What clients must show; better in $NLPTASKS_TOKEN."),
    click.Option(["--insecure"], is_flag=True, help="Let other machines in without a token."),
]
BOUNDS = [
    click.Option(
        ["body", "--max-body"],
        type=click.IntRange(1),
        default=16,
        show_default=True,
        metavar="MB",
        help="Most megabytes of one request.",
    ),
    click.Option(
        ["samples", "--max-samples"],
        type=click.IntRange(1),
        default=64,
        show_default=True,
        help="Most samples of one request.",
    ),
    click.Option(
        ["capacity", "--queue"],
        type=click.IntRange(1),
        default=256,
        show_default=True,
        help="Most samples under way; beyond that clients are told to come again.",
    ),
    click.Option(
        ["seconds", "--timeout"],
        type=click.FloatRange(0, min_open=True),
        default=300.0,
        show_default=True,
        help="Seconds a request may take.",
    ),
]
TITLES = {"Model": MODEL, "Address": WHERE, "Bounds": BOUNDS}


class ServeCommand(click.Command):
    """Its flags are its own and those of the chosen backend's options."""

    backend: Sequence[Parameter] = ()

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        lenient = ctx.resilient_parsing or "--help" in args or "-h" in args
        own = (flag for each in TITLES.values() for one in each for flag in one.opts)
        taken = {flag[2:].replace("-", "_") for flag in own if flag.startswith("--")}
        self.backend = backend_parameters(values_of(args, "-m", "--model"), frozenset(taken), lenient)
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        own = (one for each in TITLES.values() for one in each)
        return [*own, *(one.option() for one in self.backend), *super().get_params(ctx)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, options in TITLES.items():
            more = [one.option() for one in self.backend] if title == "Model" else []
            with formatter.section(title):
                formatter.write_dl([record for one in (*options, *more) if (record := one.get_help_record(ctx))])

    def invoke(self, ctx: click.Context) -> int:
        given = {one.column: one.value(ctx.params[one.key]) for one in self.backend if _given(ctx.params[one.key])}
        return serve_with(ctx.params, given)


def _given(value: Any) -> bool:
    return value is not None and value != ()


def serve_with(given: dict[str, Any], backend_options: dict[str, Any]) -> int:
    """Serve as the flags say."""
    try:
        from nlptasks.server.desk import Desk
        from nlptasks.server.listen import Address, serve
        from nlptasks.server.service import Bounds, Service
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("nlptasks"):
            raise
        raise MissingExtraError("nlptasks serve", "serve") from None
    from nlptasks.job import backend_factory

    address = Address(given["host"], given["port"])
    if not (address.private or given["token"] or given["insecure"]):
        raise ConfigError(f"{address.host} can be reached from other machines: set NLPTASKS_TOKEN, or add --insecure.")
    if given["samples"] > given["capacity"]:
        raise ConfigError("--max-samples cannot be more than --queue.")
    bounds = Bounds(given["body"] * 1024 * 1024, given["samples"], given["capacity"], given["seconds"])
    factory = backend_factory(given["model"], backend_options, given["cache"])
    desk = Desk(factory.build(), bounds.capacity)
    with address.bind() as listening, console.waiting(f"{factory.model} ...") as loaded, desk:
        loaded()
        service = Service(factory.model, desk, bounds, given["token"] or "")
        with stoppable(), suppress(KeyboardInterrupt):  # uvicorn sends the signal again once all is finished
            serve(service, listening, address.hosts, console.note)
    return 0


serve = ServeCommand("serve", help="Serve every task over HTTP, and the model as OpenAI's clients ask for it.")
