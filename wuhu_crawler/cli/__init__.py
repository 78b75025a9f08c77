"""The command line `wuhu`: one module a group of commands. It does not wrap `scrapy crawl`, which stays the way to crawl.

Data goes to stdout, everything else to stderr. An error a user can meet is one sentence and the exit code of its class
(errors.py); anything else is a bug, shown with its traceback, exit code 1. Nothing imports this room.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module

import click

from .. import __version__
from ..errors import WuhuError

# Where each command is: a module of this room, and its name there. It is loaded when it is called, since a command that reads
# a page need not wait for the database.
_COMMANDS = {
    "ask": ("ask", "ask"),
    "backup": ("backup", "backup"),
    "cat": ("provenance", "cat"),
    "cdx": ("wacz", "cdx"),
    "config": ("collection", "config"),
    "coverage": ("coverage", "coverage"),
    "db": ("database", "db"),
    "demo": ("demo", "demo"),
    "diff": ("diff", "diff"),
    "extract": ("extract", "extract"),
    "health": ("health", "health"),
    "import": ("importing", "import_"),
    "init": ("collection", "init"),
    "logs": ("runs", "logs"),
    "plan": ("plan", "plan"),
    "probe": ("probe", "probe"),
    "rebuild": ("rebuild", "rebuild"),
    "report": ("report", "report"),
    "restore": ("backup", "restore"),
    "runs": ("runs", "runs"),
    "schedule": ("schedule", "schedule"),
    "search": ("archive", "search"),
    "show": ("archive", "show"),
    "status": ("archive", "status"),
    "verify": ("verify", "verify"),
    "wacz": ("wacz", "wacz"),
}
_HELP = """Archive a Chinese city portal for good, and query it.

Crawling is Scrapy's command: `scrapy crawl wuhu` (see `scrapy crawl --help` for its arguments and examples). `wuhu` reads,
checks and shows what a crawl has kept. Start with `wuhu demo`.

\b
Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 the input is no article, 4 a check found something, 5 the portal stopped us,
10 interrupted, 11 out of space, 12 archive in use, 13 storage error,
20 health: attention, 21 health: broken.
"""


class _Commands(click.Group):
    """The commands by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, None when there is none of that name."""
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(f".{module}", __package__), name)
        return command


@click.group(cls=_Commands, help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--data", metavar="DIR", help="The archive's folder (default: WUHU_DATA_DIR, else ./data).")
@click.version_option(__version__, prog_name="wuhu")
def cli(data: str | None) -> None:
    """Take the options all commands share."""
    if data:
        os.environ["WUHU_DATA_DIR"] = data


def main() -> None:
    """Run `wuhu` and exit with its code."""
    try:
        # Not cli.main(): it exits 1 when the reader of our output goes away.
        with cli.make_context("wuhu", sys.argv[1:]) as context:
            cli.invoke(context)
        sys.stdout.flush()
        sys.exit(0)
    except WuhuError as error:
        click.echo(f"wuhu: {error}", err=True)
        sys.exit(error.exit_code)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("wuhu: interrupted", err=True)
        sys.exit(10)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
