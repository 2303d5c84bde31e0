#!/usr/bin/env bash
# Makes the secrets of compose.yaml in deploy/compose/secrets/, those that are missing.
# Only this folder is closed to others: a container sees its files as they are, and reads them as another user.
set -euo pipefail
folder=${1:-$(dirname "${BASH_SOURCE[0]}")/secrets}
mkdir -p "$folder"
chmod 0700 "$folder"
cd "$folder"

# keep NAME: standard input becomes the file of that name, unless there is one.
keep() {
  local text
  text=$(cat)
  [ -e "$1" ] || (umask 0222 && printf '%s\n' "$text" >"$1")
}

for name in encryption_key refresh_secret pepper; do
  openssl rand -base64 32 | keep "$name"
done
for name in operator_password mongo_root_password mongo_password; do
  openssl rand -hex 24 | keep "$name"
done
openssl rand -base64 96 | tr -d '\n' | keep mongo_set_key
echo "mongodb://authsome:$(cat mongo_password)@mongo:27017/authsome?replicaSet=rs0" | keep store_url
