"""The command `vehicle-ocr-mock`. One file a verb; a run imports only the verb that it needs."""

import gc
import os
import sys
from importlib import import_module

_VERBS = {
    "serve": "Serve the mock.",
    "validate": "Report every mistake in fixture files.",
    "schema": "Print the JSON Schema of fixture files, for editors.",
    "image": "Draw a plate, a VIN plate or a car scene.",
    "match": "Tell which scenario a picture matches, and why.",
    "add": "Turn a photo into a scenario.",
    "ca": "Tell where the CA certificate is and how to trust it.",
    "exec": "Run a command that meets the mock at the providers' real names.",
    "healthcheck": "Exit 0 if a server answers.",
}


def main() -> None:
    """Run one verb. Exit codes: 0 fine, 1 bad fixtures or settings, 2 usage."""
    # The matrices here are small: BLAS would burn a core on waking its threads. Before numpy is first imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

    from mock_server.errors import FixturesError, MockServerError

    try:
        if not _serve(sys.argv[1:]):
            _run_verb()
    except FixturesError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except MockServerError as error:
        print(f"vehicle-ocr-mock: {error}", file=sys.stderr)
        sys.exit(1)


def _serve(arguments: list[str]) -> bool:
    """Serve if that is asked for in plain flags: the shortest way to the first answer."""
    if arguments[:1] != ["serve"]:
        return False
    # Nearly all that is made from here to the start stays: looking for garbage meanwhile would find none.
    gc.disable()
    from mock_server.cli.flags import HINTS, plain_flags

    flags = plain_flags(arguments[1:])
    if flags is None:
        return False
    from mock_server.cli.serving import serve

    with_hints = flags.pop(HINTS, False)
    serve(flags, with_hints=with_hints)
    return True


def _run_verb() -> None:
    import typer

    app = typer.Typer(
        name="vehicle-ocr-mock",
        help="A local server that answers exactly as the VehiCore and CarsXE recognition APIs do.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback(invoke_without_command=True)
    def _top(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
        if version:
            from mock_server.version import __version__

            print(__version__)
            raise typer.Exit

    asked = next((argument for argument in sys.argv[1:] if not argument.startswith("-")), None)
    for verb in (asked,) if asked in _VERBS else _VERBS:
        module = import_module(f"mock_server.cli.{verb}")
        app.command(verb, help=_VERBS[verb], **getattr(module, "OPTIONS", {}))(module.command)
    app()
