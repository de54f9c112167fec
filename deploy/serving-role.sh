#!/bin/sh
# Run once by the image of PostgreSQL, when it makes the database.
set -eu
psql --username owner --dbname gnomon --set ON_ERROR_STOP=1 --set password="$POSTGRES_PASSWORD" <<'SQL'
CREATE ROLE gnomon LOGIN PASSWORD :'password';
SQL
