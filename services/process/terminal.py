"""Where commands of the program write: figures and tables to standard output, sentences for people beside them."""

from rich.console import Console

console = Console()
complaints = Console(stderr=True)


def say(sentence: str) -> None:
    """A sentence for who runs the command; what it prints can be read by a program still."""
    complaints.print(sentence, highlight=False, soft_wrap=True)
