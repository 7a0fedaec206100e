#!/bin/sh
# The light stand-in: files served by busybox. Knows the same STAND_IN_* variables as app.py.
set -eu

version="$(cat /app/VERSION)"
site=/tmp/site
seconds() { if [ "$1" = forever ]; then echo 1000000000; else echo "$1"; fi; }

if [ -n "${STAND_IN_IGNORE_SIGTERM:-}" ]; then
  trap '' TERM # inherited by every child
else
  trap 'echo "stand-in $version stops"; kill -KILL $server 2>/dev/null; exit 0' TERM
fi
server=

end() {
  echo "stand-in $version ends with code ${STAND_IN_EXIT_CODE:-0}"
  # SIGKILL: it also ends a server that hangs.
  [ -z "$server" ] || kill -KILL "$server"
  exit "${STAND_IN_EXIT_CODE:-0}"
}
if [ -n "${STAND_IN_EXIT_CODE:-}" ] && [ "${STAND_IN_EXIT_AFTER:-0}" = 0 ] || [ "${STAND_IN_EXIT_AFTER:-}" = 0 ]; then end; fi

case "${OPENAI_API_KEY:-}" in
"${STAND_IN_REFUSES_KEYS:-none }"*)
  echo "stand-in $version does not like its key" >&2
  exit 4
  ;;
esac

# `wait` returns at once when SIGTERM comes, `sleep` in the foreground does not.
pause() { sleep "$(seconds "$1")" & wait $!; }

if [ -n "${STAND_IN_START_AFTER:-}" ]; then pause "$STAND_IN_START_AFTER"; fi

mkdir -p "$site/_stcore"
cp /app/index.html "$site/index.html"
echo '{"allowedOrigins": [], "useExternalAuthToken": false, "enableCustomParentMessages": false}' >"$site/_stcore/host-config"
if [ -n "${OPENAI_API_KEY:-}" ]; then
  printf %s "$OPENAI_API_KEY" | sha256sum | cut -c1-64 | tr -d '\n' >"$site/key-sha256"
fi
if [ -n "${STAND_IN_GATE_STATUS:-}" ]; then
  mkdir "$site/cgi-bin"
  printf '#!/bin/sh\nprintf "Status: %s -\\r\\n\\r\\n"\n' "$STAND_IN_GATE_STATUS" >"$site/cgi-bin/gate"
  chmod +x "$site/cgi-bin/gate"
fi
become_healthy() { printf ok >"$site/_stcore/health"; }

if [ -n "${STAND_IN_UNHEALTHY_FOR:-}" ]; then
  { pause "$STAND_IN_UNHEALTHY_FOR"; become_healthy; } &
else
  become_healthy
fi

if [ -n "${STAND_IN_SLOW_SECONDS:-}" ]; then
  # One process a connection: many can be slow at a time.
  nc -ll -p 8501 -e sh -c "if [ -e /tmp/slow ]; then sleep $STAND_IN_SLOW_SECONDS; fi; exec httpd -i -h $site" &
else
  httpd -f -p 8501 -h "$site" &
fi
server=$!
echo "stand-in $version serves on port 8501"

if [ -n "${STAND_IN_HANG_AFTER:-}" ]; then
  # Stopped, not ended: the kernel still accepts connections, nobody reads them.
  { pause "$STAND_IN_HANG_AFTER"; kill -STOP "$server"; echo "stand-in $version answers nobody any more"; } &
fi
if [ -n "${STAND_IN_LEAK_MIB_PER_SECOND:-}" ]; then
  # One line without an end, which tail must keep whole. When it is killed for its memory, the app is gone.
  {
    while pause 1 && dd if=/dev/zero bs=1M count="$STAND_IN_LEAK_MIB_PER_SECOND" 2>/dev/null; do :; done | tail -n 1 >/dev/null || true
    kill -KILL "$server"
  } &
fi
if [ -n "${STAND_IN_EXIT_AFTER:-}" ]; then
  pause "$STAND_IN_EXIT_AFTER"
  end
fi
wait "$server"
