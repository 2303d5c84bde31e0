#!/usr/bin/env bash
# Makes a typed client from the OpenAPI document and type-checks it: OUT/client.js is ready for node.
#
#   generate.sh OUT [OPENAPI_JSON]      OUT is a directory that does not exist or is empty
set -euo pipefail
e2e=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=$1
document=$(realpath "${2:-$e2e/../../openapi/authsome.json}")

mkdir -p "$out"
cp "$e2e/client.ts" "$e2e/tsconfig.json" "$e2e/package.json" "$out"
ln -s "$e2e/node_modules" "$out/node_modules"
cd "$out"
node_modules/.bin/openapi-typescript "$document" --output schema.d.ts
node_modules/.bin/tsc
