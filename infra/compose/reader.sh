#!/bin/sh
# Run by PostgreSQL's image when it makes the database: the login by which Grafana reads the views of `reporting`.
set -eu
psql --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" --set ON_ERROR_STOP=1 \
    --set password="$(cat /run/secrets/grafana-reader.password)" <<'SQL'
CREATE ROLE hourbook_reader NOLOGIN;
CREATE ROLE grafana LOGIN PASSWORD :'password' IN ROLE hourbook_reader;
SQL
