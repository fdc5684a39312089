"""The options of `serve` and `exec`, one for each field of `Settings`, and the words that the shell completes."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from mock_server.errors import SettingsError
from mock_server.settings import ENVIRONMENT_PREFIX, Settings, flag_of

_Function = Callable[..., None]


def settings_options(**defaults: Any) -> Callable[[_Function], _Function]:
    """Add the argument FIXTURES and an option for every other setting. A setting that is not given is None.

    `defaults` are shown in the help text where the command has other defaults than `Settings`.
    """

    def decorate(function: _Function) -> _Function:
        for setting in reversed(fields(Settings)):
            parameter = fixtures_argument if setting.name == "fixtures" else _option(setting, defaults)
            function = parameter(function)
        return function

    return decorate


def check_fixtures(flags: Mapping[str, Any]) -> None:
    """Raise SettingsError if the chosen directory cannot be a fixtures directory.

    An argument that is not a directory is a UsageError.
    """
    from mock_server.scenarios.discovery import why_unusable

    root = Settings.resolve(flags).fixtures_dir
    if flags.get("fixtures") is not None and not root.is_dir():
        raise click.UsageError(f"{root} is not a directory")
    if reason := why_unusable(root):
        raise SettingsError(reason)


def fixtures_argument(function: _Function) -> _Function:
    """Add the optional argument FIXTURES."""
    return click.argument("fixtures", type=click.Path(path_type=Path), required=False, callback=_local_fixtures)(
        function
    )


def local_fixtures(environ: Mapping[str, str]) -> Path | None:
    """The directory ./fixtures, if it looks like fixtures and no environment variable names another directory."""
    here = Path("fixtures")
    is_chosen = bool(environ.get(f"{ENVIRONMENT_PREFIX}FIXTURES"))
    names = ("mock.yaml", "mock.yml", "scenarios")
    return here if not is_chosen and any((here / name).exists() for name in names) else None


def shown_path(path: Path) -> Path:
    """The path as one writes it in a command: relative if it is below the working directory."""
    full, here = path.resolve(), Path.cwd().resolve()
    return full.relative_to(here) if full.is_relative_to(here) else path


def unreadable(image: Path, error: Exception) -> click.ClickException:
    """The error of a verb whose picture cannot be read."""
    return click.ClickException(f"{image} is not a readable picture: {type(error).__name__} {error}".rstrip())


def _local_fixtures(ctx: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    return value or local_fixtures(os.environ)


def _option(setting: "Field[Any]", defaults: dict[str, Any]) -> Callable[[_Function], _Function]:
    flag, limits = flag_of(setting.name), setting.metadata
    default = defaults.get(setting.name, setting.default)
    if setting.type is bool:
        help = f"{limits['help']} [default: {'on' if default else 'off'}]"
        return click.option(f"{flag}/--no-{flag.removeprefix('--')}", default=None, help=help)
    is_repeatable = limits.get("repeatable", False)
    return click.option(
        flag,
        type=setting.type,
        metavar="WORD" if "choices" in limits else None,
        multiple=is_repeatable,
        callback=_join_values if is_repeatable else None,
        shell_complete=complete(lambda: limits.get("choices", ())),
        help=f"{limits['help']} [default: {default}]" if default != "" else limits["help"],
    )


def _join_values(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> str | None:
    return ",".join(values) or None


_Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def complete(words: Callable[[], Iterable[str]]) -> _Complete:
    """Complete one of `words`. They are called only when a shell completes, because their modules load slowly."""

    def matching(context: click.Context, parameter: click.Parameter, start: str) -> list[CompletionItem]:
        return [CompletionItem(word) for word in words() if word.startswith(start)]

    return matching


def complete_names(module: str, constant: str) -> _Complete:
    """Complete one of the names in a constant of a module of this package."""
    return complete(lambda: getattr(import_module(f"mock_server.{module}"), constant))


def provider_names(*, only_real: bool = False) -> list[str]:
    """The names of the providers, or of those whose real service can be called."""
    from mock_server.providers.registry import PROVIDERS

    return [provider.name for provider in PROVIDERS if provider.real or not only_real]
