"""Reads the times people write: ISO 8601, what JavaScript prints, and English such as ``next monday 10:30``.

All of a text must be understood: a word that is not known refuses it, since a wrong guess cannot be unsent. A weekday,
a day without its year and a clock alone mean the coming one.
"""

from postroom.kit.when.grammar import LONGEST, BadTime, read_when

__all__ = ["LONGEST", "BadTime", "read_when"]
