#!/usr/bin/env bash
# Puts oaudit on the PATH of the steps that follow: the binary of a release, held against its checksum, or one that is
# built from the source of this action. Everything that it is told comes by the environment.
#
#   OAUDIT_VERSION     the release, such as v0.1.0; "source" builds; empty: the tag by which the action was called
#   OAUDIT_SHA256      the checksum of the archive; empty: that in the SHA256SUMS of the release
#   OAUDIT_REPOSITORY  where the releases are, OWNER/NAME
#   OAUDIT_ACTION_REF  the tag or branch by which the action was called
#   OAUDIT_SOURCE      the folder of the source
set -euo pipefail

fail() {
  printf '::error title=oaudit::%s\n' "$*"
  exit 5
}

target() {
  local machine
  case "${RUNNER_ARCH:-$(uname -m)}" in
    X64 | x86_64) machine=x86_64 ;;
    ARM64 | arm64 | aarch64) machine=aarch64 ;;
    *) return 1 ;;
  esac
  case "${RUNNER_OS:-$(uname -s)}/$machine" in
    Linux/*) echo "$machine-unknown-linux-musl" ;;
    macOS/* | Darwin/*) echo "$machine-apple-darwin" ;;
    Windows/x86_64) echo "x86_64-pc-windows-msvc" ;;
    *) return 1 ;;
  esac
}

sha256() {
  if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

download() {
  curl --proto '=https' --tlsv1.2 --fail --silent --show-error --location --retry 3 --output "$2" -- "$1"
}

# 0: installed. 1: there is no such archive. A checksum that does not match ends the job.
from_release() {
  local version=$1 name archive sums expected
  local from="${GITHUB_SERVER_URL:-https://github.com}/$OAUDIT_REPOSITORY/releases/download/$version"
  name="oaudit-$version-$(target)" || return 1
  archive="$scratch/$name.tar.gz"
  sums="$scratch/SHA256SUMS"
  download "$from/$name.tar.gz" "$archive" || return 1
  expected=${OAUDIT_SHA256:-}
  if [ -z "$expected" ]; then
    download "$from/SHA256SUMS" "$sums" || fail "$version has no SHA256SUMS to hold the archive against"
    expected=$(awk -v file="$name.tar.gz" '$2 == file { print $1 }' "$sums")
    [ -n "$expected" ] || fail "SHA256SUMS of $version does not list $name.tar.gz"
  fi
  [ "$(sha256 "$archive")" = "$expected" ] || fail "$name.tar.gz is not what its checksum says; nothing was installed"
  tar -xzf "$archive" -C "$scratch"
  mkdir -p "$folder/bin"
  # The program alone; on Windows its name ends in .exe.
  cp "${archive%.tar.gz}"/oaudit* "$folder/bin/"
}

from_source() {
  command -v cargo >/dev/null || fail "there is no binary for this machine, and no cargo to build one with"
  cargo install --locked --quiet --path "$OAUDIT_SOURCE" --root "$folder"
}

folder=${RUNNER_TEMP:-/tmp}/oaudit
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

version=${OAUDIT_VERSION:-}
if [ -z "$version" ]; then
  # A branch or a commit has no release; its source is here.
  case "${OAUDIT_ACTION_REF:-}" in
    v[0-9]*.[0-9]*.[0-9]*) version=$OAUDIT_ACTION_REF ;;
    *) version=source ;;
  esac
fi
[[ $version =~ ^[A-Za-z0-9._-]+$ ]] || fail "version is the name of a release, such as v0.1.0, or source"

if [ "$version" = source ]; then
  from_source
elif ! from_release "$version"; then
  [ -z "${OAUDIT_SHA256:-}" ] || fail "the archive of $version for this machine could not be downloaded"
  echo "::warning title=oaudit::there is no archive of $version for this machine; building from source"
  from_source
fi

"$folder/bin/oaudit" --version
echo "$folder/bin" >>"$GITHUB_PATH"
