"""Documents that are sent by themselves, so many days after their month was closed."""

from datetime import date

from services.billing.running import running_billing
from services.billing.sending import calendar, sender
from services.billing.settings import Settings
from services.process.settings import read
from tests.billing.sending.conftest import MONTH, Desk
from tests.billing.sending.mail_server import mail_server


async def test_what_is_closed_from_then_on_is_sent_when_its_days_are_over(desk: Desk, monkeypatch):
    """Months that were closed before it was switched on are left alone."""
    monkeypatch.setattr(sender, "CALENDAR_SECONDS", 0.05)
    monkeypatch.setattr(calendar, "_months_until", lambda _: [MONTH])
    await desk.customer("before", "buh@before.example")
    async with running_billing(read(Settings, hourbook_url=desk.url)) as billing, billing.connection() as connection:
        await billing.migration
        await calendar.request_due(billing, connection, after_days=0)
    async with mail_server(desk.mailboxes) as port, desk.sender(port, after_days=0):
        await desk.customer("switch", "buh@switch.example")
        state = await desk.once_sent("switch")
        assert state["requested_by"] == "system-sender"
        await desk.command(
            {"command": "ReopenMonth", "account_id": "switch", "month": MONTH, "reason": "ошибка"},
            {"command": "CloseMonth", "account_id": "switch", "month": MONTH},
        )
        state = await desk.once_sent("switch", messages=2)

    assert [message["revision"] for message in state["messages"]] == [1, 2]
    assert desk.mailboxes.recipients == {"buh@switch.example"}


async def test_nothing_is_requested_before_its_days_are_over_nor_twice(desk: Desk, monkeypatch):
    monkeypatch.setattr(calendar, "_months_until", lambda _: [MONTH])
    async with running_billing(read(Settings, hourbook_url=desk.url)) as billing, billing.connection() as connection:
        await billing.migration
        await calendar.request_due(billing, connection, after_days=0)
        await desk.customer("patience", "buh@patience.example")
        assert not await calendar.request_due(billing, connection, after_days=1)
        assert await calendar.request_due(billing, connection, after_days=0)
        assert not await calendar.request_due(billing, connection, after_days=0)
        await connection.execute("UPDATE sending_request SET state = 'no-recipients'")
        assert not await calendar.request_due(billing, connection, after_days=0)
        await desk.recipients("patience", {"address": "anna@patience.example"})
        assert await calendar.request_due(billing, connection, after_days=0)


def test_the_latest_months_are_looked_at():
    months = list(calendar._months_until(date(2026, 2, 1)))

    assert months == ["2026-02", "2026-01", "2025-12", "2025-11", "2025-10", "2025-09"]
