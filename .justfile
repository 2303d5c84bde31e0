# Every recipe is one command that also runs without just.

[private]
list:
    @just --list --unsorted

# What CI runs: formatting, lints, every test, a clean tree
check:
    .ci/run

# Every test; arguments go to the runner
test *arguments:
    tests/run {{ arguments }}

# Writes again what is generated and committed: the OpenAPI document, the sample of a configuration
update:
    mkdir -p target
    cargo run --locked --quiet -- openapi > target/openapi.json
    mv target/openapi.json openapi/authsome.json
    cargo run --locked --quiet -- config --toml > target/authsome.toml
    mv target/authsome.toml deploy/authsome.toml

# What a release promises: later documents are held against this one
release-document:
    cp openapi/authsome.json openapi/released.json

# A server on the embedded store
serve *arguments:
    cargo run --locked --release -- serve {{ arguments }}

# The benchmarks, each with its limit measured in the same run
bench *arguments:
    tests/bench/run {{ arguments }}
