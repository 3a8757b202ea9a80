"""The command line: one word for each part that runs, and for what an operator does by hand."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from django.db.utils import OperationalError, ProgrammingError
from psycopg.errors import UndefinedColumn, UndefinedTable

from postroom.config.bootstrap import Refused, prepare
from postroom.config.environment import BadSetting
from postroom.config.ports import PortInUse
from postroom.config.postgres import PostgresError
from postroom.kit.errors import AppError
from postroom.kit.processes import say_ready

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line; an expected failure is one sentence on standard error and exit code 1."""
    try:
        app()
    except (AppError, BadSetting, OperationalError, PortInUse, PostgresError, Refused) as error:
        sys.exit(f"postroom: {error}")
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable | UndefinedColumn):
            raise
        sys.exit("postroom: The tables are not up to date yet: wait for `postroom up`, or run `postroom migrate`.")


@app.command()
def up() -> None:
    """Run everything in this terminal: PostgreSQL (unless DATABASE_URL is set), web, worker, sender, smtp."""
    prepare("up")
    from postroom.config.supervisor.everything import run_everything

    raise typer.Exit(run_everything())


@app.command()
def web() -> None:
    """Run the web server: the application, the APIs, tracking and unsubscribe links."""
    prepare("web")
    from postroom.config import web_server

    web_server.serve()


@app.command()
def worker() -> None:
    """Run a job worker, with the schedules."""
    prepare("worker")
    from postroom.workers import worker as part

    say_ready()
    part.main()


@app.command()
def sender() -> None:
    """Run a sender: it takes messages from the ledger and hands them to mail servers."""
    prepare("sender")
    from postroom.workers import sender as part

    say_ready()
    part.main()


@app.command()
def smtp() -> None:
    """Run the SMTP servers: inbound (bounces, complaints, replies), submission, and the sandbox."""
    prepare("smtp")
    from postroom.edge.smtp import server as part

    part.main()


@app.command()
def migrate() -> None:
    """Bring the tables of the database up to date."""
    prepare("migrate")
    from postroom.config.commands.database import migrate_database

    migrate_database()


@app.command()
def createadmin(
    email: str,
    organization: Annotated[str, typer.Option(help="Name of the organization to make.")] = "My organization",
    workspace: Annotated[str, typer.Option(help="Address (slug) of its first workspace.")] = "main",
    password: Annotated[
        str, typer.Option(envvar="POSTROOM_ADMIN_PASSWORD", prompt=True, hide_input=True, confirmation_prompt=True)
    ] = "",
) -> None:
    """Make an organization, its first workspace, and the person who administers it."""
    prepare("createadmin")
    from postroom.config.commands.administrator import NewAdministrator, create_administrator

    create_administrator(NewAdministrator(email, password, organization, workspace))
    typer.echo(f"{email} may now sign in and administers the workspace {workspace}.")


@app.command()
def createkey(
    email: Annotated[str, typer.Argument(help="Who the key acts as.")],
    door: Annotated[str, typer.Argument(help="Which API it opens: usesend or crm.")],
    workspace: Annotated[str, typer.Option(help="Address (slug) of the workspace.")] = "main",
    name: Annotated[str, typer.Option(help="What it is for.")] = "Made on the command line",
) -> None:
    """Make an API key and show its secret, this once."""
    prepare("createkey")
    from postroom.config.commands import keys
    from postroom.core.workspaces.selectors import door_address
    from postroom.core.workspaces.types import Door

    if door not in keys.DOORS:
        raise typer.BadParameter(f"There is no API {door!r}; there are {', '.join(keys.DOORS)}.")
    opened = Door(door)
    secret = keys.create_key(keys.KeyOrder(email, workspace, opened, name))
    typer.echo(f"address: {door_address(door=opened)}")
    typer.echo(f"key:     {secret}")


@app.command(name="import")
def import_contacts(  # noqa: PLR0913 - each parameter is an option of the command line
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True)],
    workspace: Annotated[str, typer.Option(help="Address (slug) of the workspace.")],
    mapping: Annotated[list[str] | None, typer.Option(help="COLUMN=FIELD, again for each column.")] = None,
    list_name: Annotated[str, typer.Option("--list", help="Name of a list to add everybody to.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="A tag for everybody; may be given again.")] = None,
    constant: Annotated[list[str] | None, typer.Option(help="FIELD=TEXT, for rows that leave the field empty.")] = None,
    skip_known: Annotated[bool, typer.Option(help="Leave the record of people who are known as it is.")] = False,
    unsubscribed: Annotated[bool, typer.Option(help="Put everybody on the list as unsubscribed.")] = False,
    check: Annotated[bool, typer.Option(help="Only say what the import would do.")] = False,
) -> None:
    """Import people from a CSV file or a workbook; a running worker does the work. Without --mapping, columns are
    recognised.
    """
    prepare("import")
    from postroom.config.commands.importing import ImportOrder, import_file

    words = (tuple(mapping or ()), list_name, tuple(tag or ()), tuple(constant or ()))
    raise typer.Exit(import_file(ImportOrder(file, workspace, *words, skip_known, unsubscribed, check)))


@app.command()
def suppress(
    email: Annotated[str, typer.Argument(help="The address that must not be mailed.")],
    workspace: Annotated[str, typer.Option(help="Address (slug) of the workspace that keeps the record of it.")],
    scope: Annotated[str, typer.Option(help="workspace, organization or platform.")] = "workspace",
    reason: Annotated[str, typer.Option(help="manual, hard_bounce, complaint, banned or unsubscribed.")] = "manual",
    note: Annotated[str, typer.Option(help="Why, for your team.")] = "",
) -> None:
    """Never mail an address again: from a workspace, an organization, or anybody on this installation."""
    prepare("suppress")
    from postroom.config.commands import suppressing
    from postroom.core.contacts.types import SuppressionReason

    order = suppressing.SuppressionOrder(email, workspace, suppressing.read_scope(scope), note)
    if reason not in set(SuppressionReason) - {SuppressionReason.ERASED}:
        raise typer.BadParameter(f"{reason!r} is no reason.")
    is_news = suppressing.suppress(order, SuppressionReason(reason))
    typer.echo("Suppressed." if is_news else "It was suppressed already.")


@app.command()
def unsuppress(
    email: Annotated[str, typer.Argument(help="The address that may be mailed again.")],
    workspace: Annotated[str, typer.Option(help="Address (slug) of the workspace that keeps the record of it.")],
    note: Annotated[str, typer.Option(help="Why it is lifted.")],
    scope: Annotated[str, typer.Option(help="workspace, organization or platform.")] = "workspace",
    confirmed: Annotated[bool, typer.Option(help="Also lift a bounce, a complaint, a ban or an opt-out.")] = False,
) -> None:
    """Lift the suppression of an address in one scope."""
    prepare("unsuppress")
    from postroom.config.commands import suppressing

    order = suppressing.SuppressionOrder(email, workspace, suppressing.read_scope(scope), note)
    was_there = suppressing.unsuppress(order, is_confirmed=confirmed)
    typer.echo("Lifted." if was_there else "It was not suppressed there.")


@app.command()
def doctor() -> None:
    """Check this installation and say what is wrong with it; exit code 1 when something is."""
    prepare("doctor", is_checked=False)
    from postroom.config.commands.doctor import examine

    raise typer.Exit(examine())


@app.command()
def claims(
    abandon: Annotated[str, typer.Option(help="A sender of this list whose machine will not come back.")] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="Abandon one that says it is there.")] = False,
) -> None:
    """Show what each sender holds. A dead sender's mail is taken over on its own machine; abandon one that is lost."""
    prepare("claims")
    from postroom.config.commands import claims as held

    if abandon:
        raise typer.Exit(held.abandon_claims(abandon, is_forced=anyway))
    held.show_claims()


@app.command()
def stop(
    workspace: Annotated[str, typer.Option(help="Address (slug) of one workspace; without it, everything stops.")] = "",
) -> None:
    """Stop all mail within a second or two, until ``resume``; exit code 1 while some may still leave."""
    prepare("stop")
    from postroom.config.commands import stopping

    raise typer.Exit(0 if stopping.stop_mail(workspace) else 1)


@app.command()
def resume(
    workspace: Annotated[str, typer.Option(help="Address (slug) of one workspace; without it, everything.")] = "",
) -> None:
    """Let mail leave again after ``stop``."""
    prepare("resume")
    from postroom.config.commands import stopping

    stopping.resume_mail(workspace)


@app.command(hidden=True, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def manage(context: typer.Context) -> None:
    """Pass everything on to Django's own commands."""
    prepare("manage", is_checked=False)
    from django.core.management import execute_from_command_line

    execute_from_command_line([f"{os.path.basename(sys.argv[0])} manage", *context.args])
