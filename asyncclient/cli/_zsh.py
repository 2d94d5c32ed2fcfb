"""What zsh is told about completion, in place of what typer says.

zsh runs the file as the body of a function when something is to be completed for the first time. That of typer only says then
who completes, and completes nothing: the first TAB in each shell is lost.
"""

from __future__ import annotations

import contextlib
from typing import Final

__all__ = ["mend"]

_SCRIPT: Final = """
#compdef %(prog_name)s

%(complete_func)s() {
  eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" %(autocomplete_var)s=complete_zsh %(prog_name)s)
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  %(complete_func)s "$@"
else
  compdef %(complete_func)s %(prog_name)s
fi
"""


def mend() -> None:
    """Have typer install and show this; a version of it that keeps its scripts elsewhere goes on with its own."""
    with contextlib.suppress(ImportError, AttributeError):
        from typer import _completion_shared

        _completion_shared._completion_scripts["zsh"] = _SCRIPT
