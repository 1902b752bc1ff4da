# What a newcomer runs. Every target but lock and clean first makes .venv, when it is missing or out of date.

# Any Python from 3.11 on will do; those before 3.14 come first because every dependency has a wheel for them.
PYTHON ?= $(shell for below in 14 99; do for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, $$below))" 2>/dev/null \
	&& echo $$name && exit; done; done)
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 .venv/bin/python -m pip
STAMP := .venv/.installed
WORKERS ?= 2

.PHONY: setup demo up test test-shards check bench production campaign campaign-audit campaign-bitrix24 campaign-citus campaign-clusters campaign-concurrency campaign-failover campaign-faults campaign-hostile campaign-pages campaign-restores campaign-schemathesis campaign-sending campaign-upgrade lock clean

setup: $(STAMP)

# The stamp is written last, so a set-up that was cut short is done again. A changed lock is installed into the
# same .venv, because programs may be running from it; `make clean setup` makes a new one.
$(STAMP): requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "Hourbook needs Python 3.11 or newer with the venv module, and none was found on PATH."; \
		echo "Install one (Debian and Ubuntu: apt install python3-venv), or name one: make setup PYTHON=/path/to/python3"; exit 1; }
	.venv/bin/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	$(PIP) install --quiet --require-hashes -r requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: setup
	.venv/bin/hourbook demo

up: setup
	.venv/bin/hourbook up

test: setup
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

# The same with four logs: HOURBOOK_LOGS can be any number.
test-shards: setup
	HOURBOOK_LOGS=4 .venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/basedpyright
	.venv/bin/python -m pytest -q tests/test_architecture.py

bench: setup
	.venv/bin/hourbook bench

# Everything that operators install, made in dist/ and checked: the image, built twice (as root, by buildah), its parts at
# work; compose file; chart; units; alert rules.
production: setup
	infra/image/build.sh
	.venv/bin/python -c "from helm_python.chart import package; print(package('infra/helm/hourbook', destination='dist'))"
	HOURBOOK_IMAGE=hourbook:$$(.venv/bin/hourbook --version | cut -d' ' -f2) .venv/bin/python -m pytest tests/infra/test_image.py \
		tests/infra/test_compose.py tests/infra/test_chart.py tests/infra/test_systemd.py tests/infra/test_monitoring.py

# The property tests at length, thousands of histories and of tamperings of each kind, new ones on every run; a rebuild
# of a million events; each parameter of each route with each hostile value; all sample histories over HTTP.
campaign: setup
	HYPOTHESIS_PROFILE=campaign .venv/bin/python -m pytest -n $(WORKERS) --timeout 3600 tests/ledger/domain tests/ledger/forecast tests/projections/monthly_reports \
		tests/projections/following/test_rebuild_memory.py tests/ledger/audit tests/end_to_end/test_hostile_values.py tests/end_to_end/test_sample.py

# What auditors are given, and the database itself, against tampering, with one log and with four, and against deciders that
# each break a rule; an hour or two. What came of each attack is written to .bench/campaign-audit-*.txt. Receipts too, in the
# verifier of the web pages.
campaign-audit: setup
	HYPOTHESIS_PROFILE=campaign .venv/bin/python -m pytest -n $(WORKERS) --timeout 3600 tests/auditing tests/ledger/audit/test_tampering.py \
		tests/pages/test_proof_modules.py

# A portal's year: 10,000 tasks, changed at random, read by a connector that is killed over lines that are cut.
campaign-bitrix24: setup
	BITRIX24_TASKS=$(or $(TASKS),10000) BITRIX24_DAYS=$(or $(DAYS),365) BITRIX24_EVERY_DAYS=$(or $(EVERY),1) .venv/bin/python -m pytest --timeout 36000 tests/bitrix24/test_year.py tests/bitrix24/test_recording.py

# Writers in several processes, killed and cut off at random, for half an hour.
campaign-concurrency: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.concurrency.campaign $(or $(SECONDS),1800)

# Random faults on real processes, servers and the links between them, under a load whose answers are kept.
campaign-faults: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.faults $(or $(FAULTS),60)

# Commands and queries beside 300 streams, 1,000 followers and 50 clients that do not read: each within a second.
campaign-hostile: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.hostile_clients

# Every web page as every role sees it, with and without script, in both languages, narrow and wide, light and dark;
# one role with ROLE=auditor.
campaign-pages: setup
	HOURBOOK_PAGES_CAMPAIGN=$(or $(ROLE),all) .venv/bin/python -m pytest -n $(WORKERS) --timeout 3600 tests/pages/test_walk.py

# A database that is put back to an earlier state at random instants, while two services, all other parts and clients go on.
campaign-restores: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.restores $(or $(TIMES),10)

# Every operation of the OpenAPI document with generated requests, as nobody and with a key of each role: no failure, no
# answer that is not in the document, none to whom has not the right.
# Schemathesis brings much with it, so it has an environment of its own.
campaign-schemathesis: setup
	test -x .venv-schemathesis/bin/schemathesis || { $(PYTHON) -m venv .venv-schemathesis && \
		.venv-schemathesis/bin/pip install --quiet schemathesis==4.32.5; }
	.venv/bin/python -m tests.reliability.documented_answers .venv-schemathesis/bin/schemathesis $(or $(EXAMPLES),50)

# The machine of the primary dies under load, and Patroni has its standby take over: nothing acknowledged is lost.
campaign-failover: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.failover $(or $(DEATHS),5)

# Sender and mail server killed at random while the documents of 300 customers go out: each arrives once.
campaign-sending: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.sending $(or $(CUSTOMERS),300)

# A data folder of an earlier program, which this one goes on with; then the program before the newest migration replaced part
# by part under load. Needs the repository's history.
campaign-upgrade: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.upgrade $(or $(COMMIT),8fbb8ef)

# The servers of a NATS cluster killed under load, one by one, its leaders, and two of three; some three minutes a round.
campaign-clusters: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.nats_nodes $(or $(ROUNDS),2)

# A coordinator and two workers of Citus, one of which is killed; CITUS is the folder with programs of a PostgreSQL that has it.
campaign-citus: setup
	HOURBOOK_ACCESS=open .venv/bin/python -m tests.reliability.citus $(or $(CITUS),/usr/lib/postgresql/18/bin)

# Versions already in the lock are kept where they still fit; `make lock UPGRADE=--upgrade` takes the newest. What the image
# installs is the same without what developers and tests need, and without servers.
COMPILE := .venv-lock/bin/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-config --no-header \
	--no-annotate --no-emit-index-url --no-emit-find-links --quiet
lock:
	test -x .venv-lock/bin/uv || { $(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet uv; }
	$(COMPILE) --extra dev $(UPGRADE) --output-file requirements.lock
	$(COMPILE) --extra tracing --constraints requirements.lock --output-file requirements-production.lock
	{ echo "# Every version and hash that make setup installs. Made from pyproject.toml: regenerate with make lock."; \
		cat requirements.lock; } > requirements.lock.new
	mv requirements.lock.new requirements.lock
	{ echo "# Those of them that the image installs: without servers, and without what developers need."; \
		cat requirements-production.lock; } > requirements.lock.new
	mv requirements.lock.new requirements-production.lock

clean:
	rm -rf .venv .venv-lock .venv-schemathesis .hourbook .pytest_cache .ruff_cache .hypothesis .bench build *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
