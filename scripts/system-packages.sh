#!/bin/sh
# What the tests need from Debian: strace (fault injection), chromium (the browser suite) and PostgreSQL.
# Installs what is missing.
set -eu
missing=""
command -v strace >/dev/null 2>&1 || missing="$missing strace"
command -v chromium >/dev/null 2>&1 || missing="$missing chromium"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -z "$missing" ] && exit 0
echo "installing$missing" >&2
run=""
[ "$(id -u)" -eq 0 ] || run="sudo"
$run apt-get update -qq
# shellcheck disable=SC2086
DEBIAN_FRONTEND=noninteractive $run apt-get install -y -qq --no-install-recommends $missing >/dev/null
