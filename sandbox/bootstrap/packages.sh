#!/bin/sh
# Installs the Debian packages of the named groups. A package is not installed if its
# program exists already, also if it was not installed from Debian:
#
#   packages.sh node servers           what make up needs for a cluster of its own
#   packages.sh servers clients race   what make test needs
set -eu
# A user's PATH often lacks the folders of root.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# Scripts in packages create files that other users must read. With the umask 077 of
# some shells only root could read them.
umask 022

# need PACKAGE PURPOSE FILE... adds the package to $missing if none of the files
# exists. A file is an absolute path or the name of a program on PATH.
need() {
	package=$1 purpose=$2
	shift 2
	for file; do
		case $file in
		/*) [ ! -f "$file" ] || return 0 ;;
		*) ! command -v "$file" >/dev/null || return 0 ;;
		esac
	done
	missing="$missing $package"
	purposes="$purposes${purposes:+, }$package $purpose"
	[ "$group" != node ] || avoidable=yes # CLUSTER=existing needs no node
}

find_missing() {
	missing='' purposes='' avoidable=''
	for group; do
		case $group in
		node) # parts of a node that are not built with Go here
			need containerd "runs the pods" containerd
			need runc "starts their containers" runc
			need containernetworking-plugins "gives them addresses" /usr/lib/cni/bridge /opt/cni/bin/bridge
			need iptables "routes their services" iptables
			;;
		servers) # for images and for tests
			need postgresql-15 "is the platform's database here" /usr/lib/postgresql/15/bin/postgres
			need redis-server "is its cache" redis-server
			;;
		clients)
			need chromium "opens the front page in a test" chromium
			need slowhttptest "attacks the services in a test" slowhttptest
			need prometheus-alertmanager "checks the configuration of Alertmanager in a test" amtool
			need prometheus "evaluates the queries of the autoscalers in a test" promtool
			;;
		race)
			need gcc "links the race detector" gcc cc
			need libc6-dev "holds its headers" /usr/include/stdlib.h
			;;
		*) echo "error: $0: no group $group" >&2 && exit 2 ;;
		esac
	done
}

fail() {
	{
		echo "error: Debian packages are missing ($purposes) and $1."
		echo "  Install them as root: apt-get update && apt-get install --no-install-recommends$missing"
		[ -z "$avoidable" ] || echo "  Or use a cluster that you have, which needs no node: make up CLUSTER=existing"
	} >&2
	exit 1
}

# Without Error-Mode=any, `apt-get update` exits with 0 even if it reached no server.
apt() {
	DEBIAN_FRONTEND=noninteractive LC_ALL=C timeout 10m apt-get -qq -o Dpkg::Use-Pty=0 -o APT::Update::Error-Mode=any -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=20 -o DPkg::Lock::Timeout=120 "$@" >&2 || fail "apt-get $1 failed, see above"
}

find_missing "$@"
[ -n "$missing" ] || exit 0
[ "$(id -u)" = 0 ] || fail "only root can install them"
command -v apt-get >/dev/null || fail "this machine has no apt-get"
echo "installing Debian packages:$missing" >&2
# Exit code 101 of policy-rc.d keeps packages from starting their services
# (invoke-rc.d(8)): the sandbox needs only their files. An existing policy stays.
policy=${POLICY_RC_D:-/usr/sbin/policy-rc.d}
if [ ! -e "$policy" ]; then
	trap 'rm -f "$policy"' EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
apt update
# shellcheck disable=SC2086 # a list of words
apt install --yes --no-install-recommends $missing
find_missing "$@"
[ -z "$missing" ] || fail "apt-get installed them, but their files are not in their folders"
