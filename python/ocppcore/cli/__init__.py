"""The command `ocppcore`: look into OCPP traffic from files, logs and streams.

    ocppcore validate 'logs/*.gz'        every fault, with its place and wire code
    ocppcore decode -                    frames as typed values
    ocppcore schema 2.0.1 Authorize      a message as a readable table

The package needs the extra `cli` (click, rich); both are imported when a command runs, never by `import ocppcore`.
"""

import sys

__all__ = ["main"]

_EXTRAS = {"click": "cli", "rich": "cli", "websockets": "websockets"}


def main() -> int:
    """Run the command with the arguments of the process; the exit code."""
    try:
        from ._app import run

        return run()
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").split(".")[0])
        if extra is None:
            raise
        print(
            f"ocppcore: the command needs {error.name}, which is not installed. "
            f"Install it with: pip install 'ocppcore[{extra}]'",
            file=sys.stderr,
        )
        return 2
