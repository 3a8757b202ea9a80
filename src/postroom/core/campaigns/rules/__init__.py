"""Pure decisions about campaigns: texts, trials, timetables."""

from postroom.core.campaigns.rules.portions import LONGEST_WINDOW, MOST_AT_ONCE, check_portion
from postroom.core.campaigns.rules.repeats import describe_repeat, next_run, read_repeat, write_repeat
from postroom.core.campaigns.rules.texts import (
    EXAMPLE_READER,
    MAILINGS,
    MOST_TEST_RECIPIENTS,
    check_text,
    find_missing,
    make_test,
)
from postroom.core.campaigns.rules.trials import (
    LETTERS,
    LONGEST_WAIT,
    check_trial,
    choose_winner,
    compare,
    find_twins,
    words_of,
)

__all__ = [
    "EXAMPLE_READER",
    "LETTERS",
    "LONGEST_WAIT",
    "LONGEST_WINDOW",
    "MAILINGS",
    "MOST_AT_ONCE",
    "MOST_TEST_RECIPIENTS",
    "check_portion",
    "check_text",
    "check_trial",
    "choose_winner",
    "compare",
    "describe_repeat",
    "find_missing",
    "find_twins",
    "make_test",
    "next_run",
    "read_repeat",
    "words_of",
    "write_repeat",
]
