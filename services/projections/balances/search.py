"""Finding an account by a piece of its customer's name or of its contract's number, in any case and spelling."""

from unicodedata import normalize

GRAM_LETTERS_MAX = 3

# The index narrows the search down by grams; what has them in another order is sorted out by the text itself, which
# is also what is cheaper to look at. Found apart from the list, or the planner may walk through all customers in the
# order of the list.
FOUND = """
    found AS MATERIALIZED (
        SELECT account_id FROM customer WHERE position(${}::text IN folded) > 0 AND grams @> ${}::text[]
    ),
"""


def folded(text: str) -> str:
    """The text as searches compare it: without case, with single spaces, ё as е."""
    lower = " ".join(normalize("NFKC", text).casefold().split())
    return lower.replace("ё", "е")


def searched(customer_name: str, contract_number: str) -> str:
    """What a search looks through; nothing that is searched for reaches over the line's end."""
    return f"{folded(customer_name)}\n{folded(contract_number)}"


def grams(text: str) -> list[str]:
    """Every piece of one to three letters, by which an index finds what has it anywhere inside."""
    lengths = range(1, GRAM_LETTERS_MAX + 1)
    return sorted({text[start : start + n] for n in lengths for start in range(len(text) - n + 1)})


def wanted_grams(text: str) -> list[str]:
    """The longest pieces alone, for the shorter ones follow from them."""
    return sorted({text[start : start + GRAM_LETTERS_MAX] for start in range(max(1, len(text) - GRAM_LETTERS_MAX + 1))})
