"""What an operator can put right, as distinct from a fault of the program."""

CANNOT_START = 78
"""The exit code of a process that cannot start until its operator has changed something (EX_CONFIG of sysexits)."""


class OperatorError(Exception):
    """A sentence for the operator: what is wrong, and what to do. The program prints it and exits with `exit_code`.

    Anything else that ends the program is a bug, with its traceback.
    """

    def __init__(self, *sentences: str, exit_code: int = 1) -> None:
        super().__init__("\n".join(sentences))
        self.sentences = sentences
        self.exit_code = exit_code
