"""A server of the operator's own is backed up: with other names, another password since, its machine's settings."""

from pathlib import Path

from infra.embedded_postgres import EmbeddedPostgres
from services.operating.backup.backup_folder import Backups
from services.operating.backup.drilling import Drill
from services.operating.backup.kept_checkpoints import signers_memory
from services.operating.backup.ledger_state import asked
from services.operating.backup.making import Ledger, back_up
from services.operating.backup.restoring import Wanted, restore
from tests.operating.ledger_at_work import LedgerAtWork

MAKE = (
    "CREATE ROLE админ SUPERUSER LOGIN PASSWORD 'first'",
    'CREATE DATABASE "hours of ours" OWNER админ',
)
OF_ITS_OWN = """
archive_mode = on
archive_command = 'touch {archived}'
ssl = on
ssl_cert_file = '/etc/ssl/of-another-machine.pem'
shared_preload_libraries = 'one_that_is_not_here'
listen_addresses = '192.0.2.1'
include_dir = '/etc/postgresql/of-another-machine'
"""
"""What is right where the server is, and would keep a copy of it from starting elsewhere, or have it do harm."""


class OperatorsPostgres(EmbeddedPostgres):
    """With a superuser and a database of other names."""

    @property
    def url(self) -> str:
        return f"postgresql://%D0%B0%D0%B4%D0%BC%D0%B8%D0%BD:first@127.0.0.1:{self.port}/hours%20of%20ours"


async def test_it_is_drilled_and_restored_whatever_its_names_passwords_and_settings(server_folder: Path):
    server, data, archived = server_folder / "server", server_folder / "data", server_folder / "archived"
    with EmbeddedPostgres(server) as made:
        async with asked(made.url) as connection:
            for statement in MAKE:
                await connection.execute(statement)
    backups = Backups(server_folder / "backups")
    with OperatorsPostgres(server) as postgres:
        ledger = LedgerAtWork(data, postgres)
        await ledger.begin()
        with (server / "data" / "postgresql.conf").open("a") as settings:
            settings.write(OF_ITS_OWN.format(archived=archived))
        await back_up(Ledger(data, postgres.url), backups, full=True, say=print)
        async with asked(postgres.url) as connection:
            await connection.execute("ALTER ROLE админ PASSWORD 'second'")
    outcome = await Drill(backups, None, [], signers_memory(ledger.key_file), [], print).run(server_folder)
    assert (outcome.faults, outcome.good) == ((), True)
    done = await restore(backups, server_folder / "restored", Wanted(position=2), (), [], print)
    assert done.heads[0].position == 2
    restored = server_folder / "restored" / "postgres" / "data"
    assert "of-another-machine" in (restored / "postgresql.conf").read_text()
    assert not archived.exists()
