#!/bin/sh
# Installs a release of wactor into /usr/local/bin, or into $PREFIX/bin:
#
#   sh install.sh [VERSION]
#
# It downloads the archive of this system and checksums.txt of the release, and installs nothing unless they agree.
set -eu
version=${1:-latest}
base=${WACTOR_RELEASES:-https://github.com/wactor/wactor/releases}
prefix=${PREFIX:-/usr/local}

fail() {
	echo "install: $1" >&2
	exit 1
}

case $(uname -s) in
Linux) os=linux ;;
Darwin) os=darwin ;;
*) fail "there is no binary for $(uname -s): build it with Go, see the README" ;;
esac
case $(uname -m) in
x86_64 | amd64) arch=amd64 ;;
aarch64 | arm64) arch=arm64 ;;
*) fail "there is no binary for $(uname -m): build it with Go, see the README" ;;
esac
command -v curl >/dev/null || fail "curl is missing"
if command -v sha256sum >/dev/null; then sum=sha256sum; else sum="shasum -a 256"; fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ "$version" = latest ]; then
	from=$base/latest/download
else
	from=$base/download/v${version#v}
fi
curl -fsSL -o "$work/checksums.txt" "$from/checksums.txt" || fail "no release $version at $base"
archive=$(awk '{ print $2 }' "$work/checksums.txt" | grep "_${os}_${arch}\.tar\.gz\$") || fail "release $version has no archive for $os $arch"
curl -fsSL -o "$work/$archive" "$from/$archive" || fail "downloading $archive failed"
(cd "$work" && grep " $archive\$" checksums.txt | $sum -c - >/dev/null) || fail "$archive is not what checksums.txt says: nothing was installed"
tar -xzf "$work/$archive" -C "$work" wactor
install -d "$prefix/bin"
install -m 0755 "$work/wactor" "$prefix/bin/wactor" || fail "can't write to $prefix/bin: set PREFIX, or run as root"
"$prefix/bin/wactor" version
