#!/usr/bin/env bash
# Three nats-servers, two sources, three edges and HAProxy on this machine, until Ctrl-C.
#
#   DATABASE_URL=postgres://app@localhost/app examples/relay/start.sh
#
# It needs nats-server and haproxy, and a database that `djr migrate` has migrated. Then:
#
#   curl -N http://127.0.0.1:8080/realtime/sse/
#   psql "$DATABASE_URL" -c "select djr.publish_public('hello')"
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
djr=${DJR:-npx djr}
: "${DATABASE_URL:?must name the database, as postgres://USER@HOST/NAME}"
export PATH="$PATH:/usr/sbin"
data=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$data"' EXIT

routes=nats-route://127.0.0.1:6221,nats-route://127.0.0.1:6222,nats-route://127.0.0.1:6223
for n in 1 2 3; do
  printf 'server_name: n%s\nlisten: "127.0.0.1:422%s"\njetstream { store_dir: "%s" }\ncluster { name: djr, listen: "127.0.0.1:622%s", routes: ["%s"] }\n' \
    "$n" "$n" "$data/n$n" "$n" "${routes//,/\", \"}" >"$data/n$n.conf"
  nats-server -c "$data/n$n.conf" >"$data/n$n.log" 2>&1 &
done

relay=nats://127.0.0.1:4221,nats://127.0.0.1:4222,nats://127.0.0.1:4223
for n in 1 2; do $djr relay --relay "$relay" --port "800$n" & done
for n in 1 2 3; do env -u DATABASE_URL $djr serve --relay "$relay" --port "801$n" & done
haproxy -f "$here/haproxy.cfg" &

echo "browsers: http://127.0.0.1:8080/realtime/ (edges 8011 to 8013, sources 8001 and 8002)"
wait
