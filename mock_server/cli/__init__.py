"""The command `vehicle-ocr-mock`. Each verb is one file of this package, imported only when it is used."""

import signal
import sys


def main() -> None:
    """Run one verb. Exit codes: 0 fine, 1 bad fixtures or settings, 2 usage."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # While modules are loaded, KeyboardInterrupt shows a traceback, or is lost in a callback of the import system.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if sys.argv[1:] == ["healthcheck"]:
        from mock_server.cli.health_probe import is_healthy

        # The libraries of the verbs take three times as long to load as this check, and are needed for an error only.
        if is_healthy():
            sys.exit(0)
    from mock_server.cli.verbs import run

    run()
