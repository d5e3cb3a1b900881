#!/usr/bin/env bash
# Makes the root of an image that holds one program: the program, the libraries that it loads, the certificate
# authorities, and a user without rights. `ci/root.sh PROGRAM FOLDER`.
set -euo pipefail
program=$1
root=$2

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/tmp" "$root/work"
chmod 1777 "$root/tmp" "$root/work"
install -m 755 "$program" "$root/usr/bin/oaudit"
# ldd names each library, and the loader by its own path.
ldd "$program" | grep -o '/[^ ]*' | while IFS= read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
echo 'oaudit:x:65532:65532::/work:/nonexistent' >"$root/etc/passwd"
echo 'oaudit:x:65532:' >"$root/etc/group"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
