#!/usr/bin/env bash
# Packs a built binary as a release has it: one folder with the program, its completions, its manual pages and the
# licences. `ci/pack.sh TAG TARGET` writes dist/oaudit-TAG-TARGET.tar.gz.
set -euo pipefail
tag=$1
target=$2
name="oaudit-$tag-$target"

binary=target/$target/release/oaudit
if [ -f "$binary.exe" ]; then binary=$binary.exe; fi
rm -rf "dist/$name"
mkdir -p "dist/$name/completions"
cp "$binary" README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "dist/$name/"
for shell in bash zsh fish nushell powershell; do
  "$binary" completions "$shell" >"dist/$name/completions/oaudit.$shell"
done
"$binary" man --dir "dist/$name/man"
tar -czf "dist/$name.tar.gz" -C dist "$name"
rm -rf "dist/${name:?}"
