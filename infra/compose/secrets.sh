#!/bin/sh
# Makes what compose.yaml needs beside it: settings/, for settings of your own, and secrets/: passwords at PostgreSQL and NATS, and the URL by which
# each part enters them. What is there stays as it is. Each container is shown those of its part alone; the files are readable
# because their user in it is another one, and nobody else on this machine gets into the folder.
set -eu
umask 022
cd "$(dirname "$0")"
mkdir -p -m 700 secrets
mkdir -p settings
touch settings/hourbook.env secrets/smtp.password secrets/webhook.txt

password() { printf p; od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
keep() { [ -s "secrets/$1" ] || printf '%s\n' "$2" > "secrets/$1"; }

keep postgres.password "$(password)"
keep owner.database "postgresql://hourbook:$(cat secrets/postgres.password)@postgres:5432/hourbook"
for part in ledger expiry relay projections billing auditor; do
    keep "$part.database" "postgresql://${part}_of_hourbook:$(password)@postgres:5432/hourbook"
done

for user in relay ledger expiry keeper worker alerts; do
    keep "$user.nats" "nats://$user:$(password)@nats:4222"
done
for file in secrets/*.nats; do
    user=$(basename "$file" .nats)
    echo "$(echo "$user" | tr '[:lower:]' '[:upper:]')_PASSWORD=$(sed 's,.*:\(.*\)@.*,\1,' "$file")"
done > secrets/nats.env
echo "CUSTOMER_OKA_PASSWORD=$(password)" >> secrets/nats.env # the example of a customer's system in hourbook.conf

keep grafana.password "$(password)"
keep grafana-reader.password "$(password)"
echo "HOURBOOK_READER_PASSWORD=$(cat secrets/grafana-reader.password)" > secrets/grafana.env
