"""How the demonstration speaks: progress bars while it works, tables when it is done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

console: Final = Console()


class Bar:
    """One progress bar."""

    def __init__(self, progress: Progress, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def set(self, done: int, total: int | None = None) -> None:
        """Move the bar to ``done``; ``total`` may become known on the way."""
        self._progress.update(self._task, completed=done, total=total)

    def advance(self) -> None:
        """Move the bar by one."""
        self._progress.advance(self._task)


@contextmanager
def bar(title: str, total: int | None = None) -> Iterator[Bar]:
    """Show a bar while the block runs; without a terminal, one line when it ends."""
    columns = (TextColumn("{task.description:<28}"), BarColumn(30), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as progress:
        yield Bar(progress, progress.add_task(title, total=total))


def print_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows; the first column is words, the others are figures."""
    table = Table(title=title, title_justify="left", title_style="bold")
    for number, header in enumerate(headers):
        table.add_column(header, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row))
    console.print(table)


def fail(sentence: str) -> int:
    """Say what went wrong and return the exit status for it."""
    console.print(f"[bold red]{sentence}[/]")
    return 1
