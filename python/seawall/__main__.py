"""The command `seawall`: the command line, and a clean end when it is interrupted while it loads."""

import os
import signal
import sys

__all__ = ["main"]

_INTERRUPTED = 130


def _leave(_number: int, _frame: object) -> None:
    # An exception would come out of whatever is being imported, as a traceback or as another error.
    os.write(2, b"interrupted\n")
    os._exit(_INTERRUPTED)


def main() -> None:
    """Run the command line."""
    before = signal.getsignal(signal.SIGINT)
    watched = before is signal.default_int_handler
    if watched:
        signal.signal(signal.SIGINT, _leave)
    from seawall.cli import app  # noqa: PLC0415 - it takes a while

    if watched:
        signal.signal(signal.SIGINT, before)
    try:
        app(prog_name="seawall")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
