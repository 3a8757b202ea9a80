"""The sender process: from claimed rows of the ledger to finished hand-overs."""

from postroom.workers.sender.process import Pace, main

__all__ = ["Pace", "main"]
