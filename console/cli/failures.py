"""The one table from errors to exit codes and words.

| exit code | means | errors |
| --- | --- | --- |
| 0 | done | |
| 1 | failed | everything foreseen that is not below, and everything unforeseen |
| 2 | wrong usage, or an invalid policy | `usage`, `not_found`, `ambiguous`, `settings`, `policy_invalid` |
| 3 | held for approval | `held` |
| 4 | insufficient licenses | `insufficient_licenses` |
| 130 | interrupted | |
"""

import sys
import traceback
from collections.abc import Mapping
from typing import Final

import click

from console.cli.answers import encoded
from policies.errors import PolicyError, SeatkeeperError

DONE, FAILED, WRONG, HELD, INSUFFICIENT, INTERRUPTED = 0, 1, 2, 3, 4, 130
EXIT_CODES: Final[Mapping[str, int]] = {
    "usage": WRONG,
    "not_found": WRONG,
    "ambiguous": WRONG,
    "settings": WRONG,
    "policy_invalid": WRONG,
    "held": HELD,
    "insufficient_licenses": INSUFFICIENT,
}
"""By the error's code; what is not here failed."""


def exit_code_of(code: str) -> int:
    """The exit code of a foreseen error."""
    return EXIT_CODES.get(code, FAILED)


def told(error: BaseException, as_json: bool) -> int:
    """Tell a foreseen failure, as people or as programs read it; returns the exit code."""
    match error:
        case click.exceptions.NoArgsIsHelpError() if not as_json:
            print(error.format_message(), file=sys.stderr)
            return WRONG
        case click.UsageError():
            return _tell("usage", _usage(error), WRONG, as_json, before=_usage_line(error))
        case click.ClickException():
            code = "failed" if error.exit_code == FAILED else "usage"
            return _tell(code, error.format_message(), error.exit_code, as_json)
        case PolicyError():
            shown = "\n".join(problem.with_caret() for problem in error.problems)
            return _tell(error.code, str(error), WRONG, as_json, before=shown, short="The policy is not valid.")
        case SeatkeeperError():
            return _tell(error.code, _sentence(error), exit_code_of(error.code), as_json)
    return _tell("interrupted", "Interrupted.", INTERRUPTED, as_json)


def _tell(code: str, message: str, exit_code: int, as_json: bool, *, before: str = "", short: str = "") -> int:
    if as_json:
        print(encoded({"error": {"code": code, "message": message}}))
        return exit_code
    if before:
        print(before, file=sys.stderr)
    print(f"Error: {short or message}", file=sys.stderr)
    return exit_code


def told_of_a_file(error: OSError, as_json: bool) -> int:
    """Tell that a file or folder cannot be used."""
    return _tell("failed", f"{error.filename} cannot be used: {error.strerror}", FAILED, as_json)


def told_of_the_unforeseen(error: BaseException, as_json: bool) -> int:
    """Tell a failure that nobody foresaw: all that helps to find it, and last of all a sentence; for a database that is
    gone or full in the midst of a command, the sentence alone."""
    from store.connections import could_not_go_on

    if (said := could_not_go_on(error)) is not None:
        return _tell("database", f"the database cannot be used: {said}", FAILED, as_json)
    traceback.print_exception(error, file=sys.stderr)
    what = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
    return _tell("unforeseen", f"Something unforeseen went wrong: {what}", FAILED, as_json)


def _usage(error: click.UsageError) -> str:
    return error.format_message() if not isinstance(error, click.exceptions.NoArgsIsHelpError) else "Missing command."


def _usage_line(error: click.UsageError) -> str:
    if error.ctx is None:
        return ""
    return f"{error.ctx.get_usage()}\nTry '{error.ctx.command_path} --help' for help.\n"


def _sentence(error: SeatkeeperError) -> str:
    """What the error says, or what its kind says of itself."""
    return str(error) or (type(error).__doc__ or error.code).strip().splitlines()[0]
