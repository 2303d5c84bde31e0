#!/usr/bin/env bash
# Makes a client of the OpenAPI document as its users would, judges its types, and lays the whole journey beside it.
#
#   generate.sh typescript OUT    OUT/journeys/{fetch,hey}.js, by openapi-typescript and by @hey-api/openapi-ts
#   generate.sh python OUT        OUT/journey.py, by openapi-python-client
#   generate.sh rust OUT          OUT/journey/, a crate, by openapi-generator
#
# OUT is made anew. E2E_PYTHON names a Python with the packages of ../requirements.txt; packages of Node are in
# ../node_modules. Nothing that is generated is changed, and nothing of it is committed.
set -euo pipefail
clients=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
document=$(realpath "$clients/../../../openapi/authsome.json")
kind=$1
rm -rf "$2"
mkdir -p "$2"
cd "$2"

typescript() {
  mkdir journeys
  cp "$clients"/{support,fetch,hey}.ts journeys
  cp "$clients"/tsconfig.*.json "$clients/../tsconfig.json" "$clients/../package.json" .
  ln -s "$clients/../node_modules" node_modules
  node_modules/.bin/openapi-typescript "$document" --output schema.d.ts
  DOCUMENT=$document node_modules/.bin/openapi-ts --file "$clients/openapi-ts.config.mjs"
  node_modules/.bin/tsc --project tsconfig.fetch.json
  node_modules/.bin/tsc --project tsconfig.hey.json
}

python() {
  # The generator formats by ruff, which it looks for on the path.
  PATH=$("$E2E_PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/bin:$PATH \
    "$E2E_PYTHON" -m openapi_python_client generate --path "$document" --output-path authsome_client --meta none \
    --fail-on-warning --config "$clients/python.yaml"
  cp "$clients/journey.py" .
  "$E2E_PYTHON" -m mypy --strict --follow-imports=silent journey.py
}

rust() {
  # A version of its own: that of the document would be in the lock file of the journey.
  "$E2E_PYTHON" -c 'import openapi_generator_cli as it; it.cli()' generate --input-spec "$document" --generator-name rust \
    --output authsome_client \
    --additional-properties=packageName=authsome_client,packageVersion=0.0.0,library=reqwest,supportAsync=false
  cp -r "$clients/rust" journey
}

"$kind"
