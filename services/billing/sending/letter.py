"""A message as bytes: the same ones of the same parts at any time, so that a repeat is the very same message."""

import html
from collections.abc import Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import NamedTuple
from uuid import UUID

MULTIPARTS = ("mixed", "alternative")
STYLE = "font-family: 'PT Sans', Arial, sans-serif; font-size: 15px; line-height: 1.45; max-width: 40em"


class Attachment(NamedTuple):
    """A document: what its file is called, its bytes, and what they are, as `application/pdf`."""

    name: str
    content: bytes
    media_type: str


class Letter(NamedTuple):
    """Everything that a message is made of."""

    message_id: UUID
    sender: str
    address: str
    written_at: datetime
    lang: str
    subject: str
    body: str
    attachments: Sequence[Attachment]

    @property
    def from_address(self) -> str:
        """The address that the sender is written with."""
        return parseaddr(self.sender)[1]

    @property
    def message_id_header(self) -> str:
        """By which a mail server and a mailbox know a message that they have had before."""
        return f"<{self.message_id}@{self.from_address.rpartition('@')[2]}>"

    def composed(self) -> bytes:
        """The message by RFC 5322 and MIME: text, the same as HTML, and the documents."""
        message = EmailMessage(policy=SMTP)
        message["From"] = self.sender
        message["To"] = self.address
        message["Subject"] = self.subject
        message["Date"] = format_datetime(self.written_at)
        message["Message-ID"] = self.message_id_header
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = self.lang
        message.set_content(self.body, cte="base64")
        message.add_alternative(page(self.body, self.subject, self.lang), subtype="html", cte="base64")
        for each in self.attachments:
            maintype, _, subtype = each.media_type.partition("/")
            message.add_attachment(each.content, maintype=maintype, subtype=subtype, filename=each.name)
        for part in message.walk():
            if part.is_multipart():  # else a boundary of chance is made
                part.set_boundary(f"=={self.message_id.hex}={part.get_content_subtype()}==")
        return message.as_bytes()


def page(body: str, subject: str, lang: str) -> str:
    """The text as HTML: a paragraph for each that blank lines part."""
    paragraphs = "\n".join(
        f"<p>{html.escape(paragraph).replace(chr(10), '<br>')}</p>" for paragraph in body.strip().split("\n\n")
    )
    return (
        f'<!doctype html>\n<html lang="{lang}">\n'
        f'<head><meta charset="utf-8"><title>{html.escape(subject)}</title></head>\n'
        f'<body style="{STYLE}">\n{paragraphs}\n</body>\n</html>\n'
    )
