"""A real mail server's answers and failures, and what they mean; TLS, login, and that no address stays in an answer."""

from pathlib import Path

import pytest

from services.billing.sending.settings import SendingSettings
from services.billing.sending.settings import mail_server as named_server
from services.billing.sending.smtp import Mailer, MailServerUnavailable, Outcome
from services.process.settings import read
from tests.billing.sending.mail_server import Mailboxes, mail_server
from tests.billing.sending.test_letter import letter
from tests.end_to_end.certificates import certificate


@pytest.fixture
def mailboxes(tmp_path: Path) -> Mailboxes:
    return Mailboxes(tmp_path / "mail")


def mailer(
    port: int, scheme: str = "smtp", host: str = "localhost", user: str = "", patience_seconds: int = 60, **settings
) -> Mailer:
    url = f"{scheme}://{user and user + '@'}{host}:{port}?timeout={patience_seconds}"
    return Mailer(named_server(read(SendingSettings, smtp_url=url, mail_from="office@seller.example", **settings)))


async def delivered(sender: Mailer, times: int = 1) -> tuple[list[Outcome], int]:
    """The outcomes of so many attempts, and how often the message was about to be handed over."""
    begun: list[None] = []

    async def hand_over() -> None:
        begun.append(None)

    try:
        return [await sender.deliver(letter(), hand_over) for _ in range(times)], len(begun)
    finally:
        await sender.close()


async def test_a_message_arrives_as_it_was_composed(mailboxes):
    async with mail_server(mailboxes) as port:
        outcomes, begun = await delivered(mailer(port))

    assert [outcome.state for outcome in outcomes] == ["sent"]
    assert begun == 1
    (taken,) = mailboxes.taken("b@customer.example").values()
    assert taken == letter().composed()


@pytest.mark.parametrize(
    ("fault", "state", "begun", "taken"),
    [
        ("refuse-now", "waiting", 0, 0),
        ("hang-at-sender", "waiting", 0, 0),
        ("cut-before-content", "waiting", 0, 0),
        ("refuse-recipient", "refused", 0, 0),
        ("refuse-content-now", "waiting", 1, 0),
        ("refuse-content", "refused", 1, 0),
        ("cut-untaken", "unanswered", 1, 0),
        ("cut-taken", "unanswered", 1, 1),
        ("hang-taken", "unanswered", 1, 1),
    ],
)
async def test_what_a_failure_means(mailboxes, fault, state, begun, taken):
    """Once nothing is known of the message, it was about to be handed over: that was written down before."""
    async with mail_server(mailboxes, iter([fault, None])) as port:
        sender = mailer(port, patience_seconds=1 if fault.startswith("hang") else 60)
        outcomes, handed_over = await delivered(sender)
        assert [outcome.state for outcome in outcomes] == [state]
        assert handed_over == begun
        assert len(mailboxes.taken("b@customer.example")) == taken
        assert "b@customer" not in outcomes[0].answer
        again, _ = await delivered(sender)

    assert [outcome.state for outcome in again] == ["sent"]


async def test_a_connection_serves_message_after_message(mailboxes):
    async with mail_server(mailboxes) as port:
        outcomes, _ = await delivered(mailer(port), times=3)

    assert [outcome.state for outcome in outcomes] == ["sent"] * 3
    assert mailboxes.deliveries("b@customer.example").total() == 3


async def test_a_server_that_is_not_there_is_no_fault_of_the_message(mailboxes):
    async with mail_server(mailboxes) as port:
        pass
    with pytest.raises(MailServerUnavailable):
        await delivered(mailer(port))


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_tls_from_the_start_and_by_starttls_with_a_login(mailboxes, tmp_path: Path, monkeypatch, scheme):
    shown, secret = certificate(tmp_path / "tls")
    monkeypatch.setenv("HOURBOOK_CA_FILE", str(shown))
    password = tmp_path / "password"
    password.write_text("sesame\n")
    async with mail_server(
        mailboxes, certificate=(shown, secret), tls_from_the_start=scheme == "smtps", login=("hourbook", "sesame")
    ) as port:
        outcomes, _ = await delivered(mailer(port, scheme, user="hourbook", smtp_password_file=password))
        password.write_text("wrong\n")
        with pytest.raises(MailServerUnavailable) as refused:
            await delivered(mailer(port, scheme, user="hourbook", smtp_password_file=password))

    assert [outcome.state for outcome in outcomes] == ["sent"]
    assert str(refused.value).startswith("535 ")
    assert "wrong" not in str(refused.value)


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_that_nobody_trusts_gets_nothing(mailboxes, tmp_path: Path, scheme):
    async with mail_server(
        mailboxes, certificate=certificate(tmp_path / "tls"), tls_from_the_start=scheme == "smtps"
    ) as port:
        with pytest.raises(MailServerUnavailable):
            await delivered(mailer(port, scheme))

    assert not mailboxes.recipients


async def test_without_tls_only_on_this_machine(mailboxes):
    """The name is not one of this machine's, though it is at its address."""
    async with mail_server(mailboxes) as port:
        sender = mailer(port, host="localhost.localdomain")
        sender._server = sender._server._replace(host="0.0.0.0")
        with pytest.raises(MailServerUnavailable, match="STARTTLS"):
            await delivered(sender)

    assert not mailboxes.recipients
