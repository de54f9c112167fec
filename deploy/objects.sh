#!/bin/sh
# SeaweedFS as one process with one user, who may do what the server does. It reports to nobody.
set -eu
umask 077
printf '{"identities":[{"name":"gnomon","credentials":[{"accessKey":"gnomon","secretKey":"%s"}],"actions":["Admin"]}]}' \
    "$OBJECTS_SECRET" > /tmp/s3.json
exec weed server -dir="${OBJECTS_DIR:-/data}" -ip="${OBJECTS_HOST:-objects}" -ip.bind=0.0.0.0 -master.telemetry=false \
    -volume.max=0 -filer -s3 -s3.port=8333 -s3.iam=false -s3.config=/tmp/s3.json
