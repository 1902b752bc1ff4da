"""Where a message stands after each kind of attempt, and what the sender's server is told by each answer."""

from datetime import timedelta

import aiosmtplib
import pytest

from services.billing.sending.delivery import GIVE_UP_AFTER, state_after
from services.billing.sending.smtp import Outcome, said

LONG = GIVE_UP_AFTER + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("outcome", "tried_for", "state"),
    [
        ("sent", timedelta(), "sent"),
        ("sent", LONG, "sent"),
        ("refused", timedelta(), "refused"),
        ("refused", LONG, "refused"),
        ("waiting", timedelta(), "waiting"),
        ("waiting", GIVE_UP_AFTER, "waiting"),
        ("waiting", LONG, "failed"),
        ("unanswered", timedelta(), "handed-over"),
        ("unanswered", GIVE_UP_AFTER, "handed-over"),
        ("unanswered", LONG, "failed"),
    ],
)
def test_an_attempt_leads_to_one_state(outcome: str, tried_for: timedelta, state: str):
    assert state_after(Outcome(outcome, ""), tried_for) == state


@pytest.mark.parametrize(
    "failure",
    [
        aiosmtplib.SMTPRecipientRefused(550, "<Anna@Post.example>: no such user", "anna@post.example"),
        aiosmtplib.SMTPDataError(552, "mailbox anna@post.example of anna@post.example is full"),
        ConnectionResetError("anna@post.example was being sent"),
    ],
)
def test_an_answer_is_kept_without_the_address(failure: Exception):
    kept = said(failure, "anna@post.example")
    assert "anna" not in kept.lower()
    assert "the address" in kept
