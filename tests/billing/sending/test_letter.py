"""A message as bytes: whole, the same at each time, and with nothing that its parts could add to its head."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTP
from hashlib import sha256
from uuid import UUID

from services.billing.sending.letter import Attachment, Letter, page

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 3


def letter(**changes) -> Letter:
    parts = {
        "message_id": UUID(int=7), "sender": "ООО «Часы» <office@seller.example>", "address": "b@customer.example",
        "written_at": datetime(2026, 4, 1, 9, tzinfo=UTC), "lang": "ru", "subject": "Документы за март 2026 года",
        "body": "Здравствуйте!\n\n— Акт\n— Отчёт <1>\n", "attachments": [Attachment("act.pdf", PDF, "application/pdf")],
    }  # fmt: skip
    return Letter(**parts | changes)


def test_the_same_parts_give_the_same_bytes():
    assert sha256(letter().composed()).digest() == sha256(letter().composed()).digest()
    assert letter().composed() != letter(message_id=UUID(int=8)).composed()


def test_what_a_reader_finds_in_it():
    message = message_from_bytes(letter().composed(), policy=SMTP)

    assert message["Subject"] == "Документы за март 2026 года"
    assert message["From"] == "ООО «Часы» <office@seller.example>"
    assert message["To"] == "b@customer.example"
    assert message["Message-ID"] == "<00000000-0000-0000-0000-000000000007@seller.example>"
    assert message.get_body(("plain",)).get_content() == letter().body.replace("\n", "\r\n")
    assert "<p>— Акт<br>— Отчёт &lt;1&gt;</p>" in message.get_body(("html",)).get_content()
    (attached,) = message.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("act.pdf", PDF)


def test_every_line_is_one_that_any_server_takes():
    lines = (
        letter(subject="Очень " * 60, attachments=[Attachment("a.pdf", PDF * 40, "application/pdf")])
        .composed()
        .split(b"\r\n")
    )

    assert max(map(len, lines)) <= 998
    assert all(line.isascii() and b"\n" not in line for line in lines)


def test_a_text_is_no_markup():
    assert "<script>" not in page("<script>", "<title>", "en")
