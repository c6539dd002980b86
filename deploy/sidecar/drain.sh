#!/bin/bash
# Lets open requests end before Envoy does: drain.sh SETTLE_S LIMIT_S
#
# Waits SETTLE_S until nobody sends new requests here, then at most LIMIT_S for those that are open.
# Meanwhile each answer asks its client to close the connection. Bash alone, as Envoy's image has no
# curl.

settle_s=$1 limit_s=$2

admin() { # METHOD PATH
  exec 3<>"/dev/tcp/127.0.0.1/${ADMIN_PORT:-9901}" || exit 1
  printf '%s %s HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

open_requests() {
  admin GET '/stats?filter=^http\.http\.downstream_rq_active$' | grep -o 'active: [0-9]*'
}

admin POST /healthcheck/fail >/dev/null
sleep "$settle_s"
for ((second = 0; second < limit_s; second++)); do
  [ "$(open_requests)" = 'active: 0' ] && exit 0
  sleep 1
done
