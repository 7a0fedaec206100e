#!/bin/sh
# The light fake app: files served by busybox. Knows the same FAKE_APP_* variables as app.py.
set -eu

version="$(cat /app/VERSION)"
site=/tmp/site
seconds() { if [ "$1" = forever ]; then echo 1000000000; else echo "$1"; fi; }

if [ -n "${FAKE_APP_IGNORE_SIGTERM:-}" ]; then
  trap '' TERM # every child inherits this
else
  trap 'echo "fake app $version stops"; kill -KILL $server 2>/dev/null; exit 0' TERM
fi
server=

quit() {
  echo "fake app $version exits with code ${FAKE_APP_EXIT_CODE:-0}"
  # SIGKILL also ends a server that hangs.
  [ -z "$server" ] || kill -KILL "$server"
  exit "${FAKE_APP_EXIT_CODE:-0}"
}
if [ -n "${FAKE_APP_EXIT_CODE:-}" ] && [ "${FAKE_APP_EXIT_AFTER:-0}" = 0 ] || [ "${FAKE_APP_EXIT_AFTER:-}" = 0 ]; then quit; fi

case "${OPENAI_API_KEY:-}" in
"${FAKE_APP_REFUSES_KEYS:-none }"*)
  echo "fake app $version rejects its key" >&2
  exit 4
  ;;
esac

# SIGTERM interrupts `wait` at once, but not a `sleep` in the foreground.
pause() { sleep "$(seconds "$1")" & wait $!; }

if [ -n "${FAKE_APP_START_AFTER:-}" ]; then pause "$FAKE_APP_START_AFTER"; fi

mkdir -p "$site/_stcore"
cp /app/index.html "$site/index.html"
echo '{"allowedOrigins": [], "useExternalAuthToken": false, "enableCustomParentMessages": false}' >"$site/_stcore/host-config"
if [ -n "${OPENAI_API_KEY:-}" ]; then
  printf %s "$OPENAI_API_KEY" | sha256sum | cut -c1-64 | tr -d '\n' >"$site/key-sha256"
fi
if [ -n "${FAKE_APP_GATE_STATUS:-}" ]; then
  mkdir "$site/cgi-bin"
  printf '#!/bin/sh\nprintf "Status: %s -\\r\\n\\r\\n"\n' "$FAKE_APP_GATE_STATUS" >"$site/cgi-bin/gate"
  chmod +x "$site/cgi-bin/gate"
fi
become_healthy() { printf ok >"$site/_stcore/health"; }

if [ -n "${FAKE_APP_UNHEALTHY_FOR:-}" ]; then
  { pause "$FAKE_APP_UNHEALTHY_FOR"; become_healthy; } &
else
  become_healthy
fi

if [ -n "${FAKE_APP_SLOW_SECONDS:-}" ]; then
  # One process per connection, so that many can be slow at the same time.
  nc -ll -p 8501 -e sh -c "if [ -e /tmp/slow ]; then sleep $FAKE_APP_SLOW_SECONDS; fi; exec httpd -i -h $site" &
else
  httpd -f -p "${FAKE_APP_LISTEN:-8501}" -h "$site" &
fi
server=$!
echo "fake app $version serves on port ${FAKE_APP_LISTEN:-8501}"

if [ -n "${FAKE_APP_HANG_AFTER:-}" ]; then
  # The process is stopped, not ended: the kernel still accepts connections, but nothing reads them.
  { pause "$FAKE_APP_HANG_AFTER"; kill -STOP "$server"; echo "fake app $version stops answering"; } &
fi
if [ -n "${FAKE_APP_LEAK_MIB_PER_SECOND:-}" ]; then
  # An endless line, which tail must hold in memory. Once the kernel kills tail for it, the app ends too.
  {
    while pause 1 && dd if=/dev/zero bs=1M count="$FAKE_APP_LEAK_MIB_PER_SECOND" 2>/dev/null; do :; done | tail -n 1 >/dev/null || true
    kill -KILL "$server"
  } &
fi
if [ -n "${FAKE_APP_EXIT_AFTER:-}" ]; then
  pause "$FAKE_APP_EXIT_AFTER"
  quit
fi
wait "$server"
