"""``python -m tests.benchmarks [import] [send] [tracking] [--rounds N]``: measures against reference programs.

What is compared runs in turns within one run, on the same machine: the ratios are the result, the rates only say how
fast this machine was meanwhile. Everything it starts is its own, and ends with it.
"""

import argparse
import sys
from importlib import import_module

from tests.benchmarks.ground import describe_machine, installation
from tests.benchmarks.rounds import say

MODULES = {
    "api": "api",
    "import": "imports",
    "people-import": "people_import",
    "people-export": "people_export",
    "people": "people_reads",
    "segments": "segments",
    "composing": "composing",
    "send": "send",
    "campaign-large": "campaign_large",
    "tracking": "tracking",
    "tracking-soak": "tracking_soak",
}

LARGE = {"api", "send", "campaign-large", "tracking-soak", "people-import", "people-export", "people", "segments"}
"""Parts that take minutes, measured only when asked for by name, with as many people as are asked for."""


def main() -> None:
    """Measure the parts that are asked for, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(MODULES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each pair is measured (default: 5)")
    parser.add_argument(
        "--rows",
        type=lambda text: tuple(map(int, text.split(","))),
        default=(10_000, 100_000, 1_000_000),
        help="people of the large parts (default: 10000,100000,1000000; some take the last of them)",
    )
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(MODULES):
        parser.error(f"there is no part called {', '.join(sorted(unknown))}")
    if arguments.rounds < 1:
        parser.error("--rounds must be at least 1")
    with installation() as directory:
        describe_machine()
        for part in arguments.parts or [part for part in MODULES if part not in LARGE]:
            module = import_module(f"tests.benchmarks.{MODULES[part]}")
            last, every = (arguments.rows[-1],), (arguments.rows,)
            sizes = {
                "people-import": last,
                "people-export": last,
                "campaign-large": last,
                "people": every,
                "segments": every,
            }.get(part, ())
            module.run(directory, arguments.rounds, *sizes)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        say("Stopped.")
        sys.exit(130)
