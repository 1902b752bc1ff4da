"""The commands that each run a part of Hourbook until they are stopped, as `up`, containers and units start them."""

import os
from typing import Annotated, Literal

import typer

Port = Annotated[int, typer.Option(help="The port.", min=1, max=65535)]
Host = Annotated[str | None, typer.Option(help="The address to listen on, instead of HOURBOOK_HOST or 127.0.0.1.")]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        help="A port of HOURBOOK_METRICS_HOST (127.0.0.1) with /metrics and /health/live, of a part without HTTP.",
        min=1,
        max=65535,
    ),
]


def listen_on(host: str | None) -> None:
    """Every part of the program reads the address from the environment."""
    if host:
        os.environ["HOURBOOK_HOST"] = host


def _begin(part: str, metrics_port: int | None = None) -> None:
    """What a process of Hourbook does first: it begins its log, and shows its metrics."""
    from services.process.logs import LogSettings, begin_log
    from services.process.metrics import serve_metrics
    from services.process.settings import read
    from services.process.tracing import begin_tracing

    begin_log(part, read(LogSettings))
    begin_tracing(part)
    serve_metrics(metrics_port)


def serve(
    port: Port = 8000,
    host: Host = None,
    socket: Annotated[
        int | None, typer.Option(hidden=True, help="An open socket, by its number: that of `up`.")
    ] = None,
) -> None:
    """Run commands, queries, billing and the web pages behind one address; the other parts run elsewhere."""
    from socket import socket as inherited

    from services.operating import part_schemas
    from services.operating.start_conditions import require_settings
    from services.process.serving import listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings

    listen_on(host)
    _begin("service")
    if socket is None:
        require_settings(os.environ)
        taken = listening(port, read(SiteSettings).host)
    else:
        taken = inherited(fileno=socket)
    serve("services.app:create_app", taken, part_schemas.of_service())


def ledger(
    port: Port = 8001,
    host: Host = None,
    only: Annotated[Literal["api", "relay", "expiry"] | None, typer.Option(help="One part alone.")] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Run the ledger service: commands, log, relay and expiry, or one of these alone."""
    from functools import partial

    from services.ledger.event_store import migrations
    from services.ledger.running import required_nats_url, run_expiry, run_relay
    from services.ledger.settings import LOGINS_OF
    from services.operating.start_conditions import ledger_settings
    from services.process.logins import as_part
    from services.process.schema_watch import SchemaWatch
    from services.process.serving import collect_garbage_seldom, listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings
    from services.process.stopping import run_until_stopped

    listen_on(host)
    _begin(only or "ledger", metrics_port)
    database, nats = LOGINS_OF[only]
    settings = ledger_settings(os.environ | as_part(database, nats))
    schemas = SchemaWatch((settings.database_url, migrations.standing))
    match only:
        case "relay":
            required_nats_url(settings)  # what is not set is said before PostgreSQL is waited for
            collect_garbage_seldom()
            run_until_stopped(schemas.guard(partial(run_relay, settings)))
        case "expiry":
            run_until_stopped(schemas.guard(partial(run_expiry, settings)))
        case "api":
            serve("services.ledger.app:create_api", listening(port, read(SiteSettings).host), schemas)
        case None:
            serve("services.ledger.app:create_app", listening(port, read(SiteSettings).host), schemas)


def projections(
    port: Port = 8002,
    host: Host = None,
    only: Annotated[Literal["api", "worker"] | None, typer.Option(help="One part alone.")] = None,
    metrics_port: MetricsPort = None,
) -> None:
    """Run the projections service: queries and worker, or one of these alone."""
    from functools import partial

    from services.operating.start_conditions import projections_settings
    from services.process.logins import as_part
    from services.process.schema_watch import SchemaWatch
    from services.process.serving import collect_garbage_seldom, listening, serve
    from services.process.settings import read
    from services.process.site import SiteSettings
    from services.process.stopping import run_until_stopped
    from services.projections.catalogue import standing
    from services.projections.running import run_worker

    listen_on(host)
    _begin(only or "projections", metrics_port)
    settings = projections_settings(os.environ | as_part("projections", "worker"))
    schemas = SchemaWatch((settings.database_url, partial(standing, logs=settings.log_names)))
    match only:
        case "worker":
            collect_garbage_seldom()
            run_until_stopped(schemas.guard(partial(run_worker, settings)))
        case "api":
            serve("services.projections.app:create_api", listening(port, read(SiteSettings).host), schemas)
        case None:
            serve("services.projections.app:create_app", listening(port, read(SiteSettings).host), schemas)


def billing(metrics_port: MetricsPort = None) -> None:
    """Run what billing does by itself: it sees which invoices are paid."""
    from functools import partial

    from services.billing.background import run_billing
    from services.billing.database import standing
    from services.operating.start_conditions import billing_settings
    from services.process.logins import as_part
    from services.process.schema_watch import SchemaWatch
    from services.process.stopping import run_until_stopped

    _begin("billing", metrics_port)
    settings = billing_settings(os.environ | as_part("billing"))
    run_until_stopped(SchemaWatch((settings.database_url, standing)).guard(partial(run_billing, settings)))


def sender(metrics_port: MetricsPort = None) -> None:
    """Run the sender: it sends what is requested by e-mail. `up` starts one where HOURBOOK_SMTP_URL is set."""
    from functools import partial

    from services.billing.database import standing
    from services.billing.sending.sender import require_mail_server, run_sender
    from services.billing.settings import Settings
    from services.operating.start_conditions import sending_settings
    from services.process.logins import as_part
    from services.process.schema_watch import SchemaWatch
    from services.process.settings import read
    from services.process.stopping import run_until_stopped

    _begin("sender", metrics_port)
    sending, settings = sending_settings(os.environ), read(Settings, **as_part("billing"))
    require_mail_server(sending)
    run_until_stopped(SchemaWatch((settings.database_url, standing)).guard(partial(run_sender, settings, sending)))
