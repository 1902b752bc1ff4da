"""Where commands of the program write: figures and tables to standard output, sentences for people beside them.

What they write has names and texts of others in it: brackets in them are no markup.
"""

from rich.console import Console

console = Console(markup=False)
complaints = Console(stderr=True, markup=False)


def say(sentence: str) -> None:
    """A sentence for who runs the command; what it prints can be read by a program still."""
    complaints.print(sentence, highlight=False, soft_wrap=True)
