#!/usr/bin/env bash
# Runs the README's two commands on a bare machine: a minimal Debian 12 with Node and npm, and no git, curl, ab or Chromium.
#
#   scripts/bare-machine.sh short      npm ci, some test files, npm run sweep -- --quick
#   scripts/bare-machine.sh whole      npm ci, all tests, npm run sweep -- --quick
#   scripts/bare-machine.sh PART...    npm ci, the test files whose path contains a PART
#
# Needs Linux, root, git, unshare (util-linux) and debootstrap, which it installs if apt-get can. The tree is that of HEAD with the changes of
# tracked files. Everything runs in a mount and a PID namespace of its own: when that ends, so do its processes and mounts, and the folder is removed.
# BARE_BASE=DIR copies a root made earlier by `debootstrap --variant=minbase bookworm DIR` instead of making one.
# Exit codes: that of the commands; 3 if debootstrap is unavailable; 124 if they took longer than LIMIT_S.
set -euo pipefail
cd "$(dirname "$0")/.."

if (($# == 0)); then
  sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'
  exit 2
fi
LIMIT_S=${LIMIT_S:-2400}

if [[ "${BARE_BASE:-}" == "" ]] && ! command -v debootstrap >/dev/null; then
  (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends debootstrap) >/dev/null || {
    echo "bare machine: debootstrap is unavailable" >&2
    exit 3
  }
fi

root=$(mktemp -d "${TMPDIR:-/tmp}/loopool-bare-XXXXXX")
chmod 755 "$root"
child=
finish() {
  # `timeout` passes SIGTERM on and, to what does not end, SIGKILL after ten seconds.
  if [[ -n "$child" ]] && kill "$child" 2>/dev/null; then wait "$child" || true; fi
  rm -rf --one-file-system "$root" "$root.log"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

echo "== bare machine: Debian 12 minbase"
if [[ "${BARE_BASE:-}" != "" ]]; then
  cp -a "$BARE_BASE/." "$root"
elif ! debootstrap --variant=minbase bookworm "$root" >"$root.log" 2>&1; then
  tail -n 5 "$root.log" >&2
  exit 3
fi

# Node and npm as they are installed here; where that Node needs libraries of this machine, the same version from npm.
mkdir -p "$root/usr/local/bin" "$root/usr/local/lib/node_modules"
cp -L "$(node -p process.execPath)" "$root/usr/local/bin/node"
if ! chroot "$root" node --version >/dev/null 2>&1; then
  package="node-$(node -p 'process.platform + "-" + process.arch')"
  npm install --silent --no-audit --no-fund --prefix "$root/opt" "$package@$(node -p process.versions.node)"
  cp "$root/opt/node_modules/$package/bin/node" "$root/usr/local/bin/node"
  rm -r "$root/opt/node_modules"
fi
cp -rL "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"

# The way to the registry: name service, certificates, proxy.
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
if [[ -n "${NODE_EXTRA_CA_CERTS:-}" ]]; then cp -L "$NODE_EXTRA_CA_CERTS" "$root/etc/extra-ca.pem"; fi
mkdir "$root/loopool"
tree=$(git stash create)
git archive "${tree:-HEAD}" | tar -x -C "$root/loopool"

{
  echo "set -eu; cd /loopool; node --version"
  echo "npm ci --no-audit --no-fund"
  case "$1" in
    whole) echo "npm test" ;;
    # Each needs something that a bare machine lacks, or is the way of a new user.
    short) echo "npm test -- www/ harness/drivers/ harness/sweep/environment harness/report/page http/node/ab. pool/exchanged-folder cli/serve" ;;
    *) printf 'npm test --'; printf ' %q' "$@"; echo ;;
  esac
  case "$1" in whole | short) echo "npm run sweep -- --quick >/tmp/sweep.log 2>&1 || { cat /tmp/sweep.log; exit 1; }; tail -n 3 /tmp/sweep.log" ;; esac
} >"$root/commands"

pass=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb)
if [[ -f "$root/etc/extra-ca.pem" ]]; then pass+=(NODE_EXTRA_CA_CERTS=/etc/extra-ca.pem); fi
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
  if [[ -n "${!name:-}" ]]; then pass+=("$name=${!name}"); fi
done

# The mounts are private to the namespace: nobody else sees them, and none outlives it.
# shellcheck disable=SC2016
timeout --kill-after=10 "$LIMIT_S" unshare --mount --pid --fork --kill-child --propagation private bash -c '
  set -euo pipefail
  root=$1; shift
  mount -t proc proc "$root/proc"
  mount -t tmpfs tmpfs "$root/dev"
  for device in null zero full random urandom; do touch "$root/dev/$device"; mount --bind "/dev/$device" "$root/dev/$device"; done
  ln -s /proc/self/fd "$root/dev/fd"
  mkdir "$root/dev/shm"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  chroot "$root" /usr/bin/env -i "$@" /bin/sh /commands
' bash "$root" "${pass[@]}" </dev/null &
# In the background: bash runs a trap while it waits, but not while a command of its own is running.
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
