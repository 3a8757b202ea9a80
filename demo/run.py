"""Runs the main job from end to end: start, import, compose, send, let a crowd react, and print what the report says.

``--exit`` ends when the report is printed; otherwise the application stays up until Ctrl-C.
"""

import argparse
import sys

from demo.installation import Installation
from demo.show import console, fail


def main() -> int:
    """Run the demonstration; 0 when the report agrees with what the crowd did."""
    parser = argparse.ArgumentParser(description="Postroom's main job, from end to end.")
    parser.add_argument("--exit", action="store_true", help="end after the report instead of staying up")
    wants_exit = parser.parse_args().exit
    with Installation() as installation:
        installation.start()
        from demo.story import tell

        agrees = tell(installation)
        if not agrees:
            return fail("The report does not agree with what the crowd did.")
        installation.show_address()
        if not wants_exit:
            console.print("Press Ctrl-C to stop.")
            installation.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
