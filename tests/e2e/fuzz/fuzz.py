"""Tries every operation of the document against a running server, as one persona, and tells what breaks a promise.

    fuzz.py BASE BOOTSTRAP_JSON_FILE PERSONA [SECONDS [SEED]]

PERSONA is one of anonymous, user, owner, admin, operator, key. The examples of the document come first, then every
boundary of its schemas, then cases by chance; after half of SECONDS (30) sequences of operations that hand on what they
were told. The same SEED (1) gives the same cases. Ends with 1 at a finding: a 5xx, a status, header or body that the
document does not have, a credential that is not asked for, something deleted that is still there, valid data refused or
invalid data taken. `hooks.py` says what is no finding, and why.
"""

import os
import pathlib
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[2] / "openapi" / "authsome.json"

# Nothing that these tell is an identifier that another operation takes: sequences are spent on the others.
ALONE = ("authentication", "discovery", "health", "meta")

if len(sys.argv) not in (4, 5, 6):
    sys.exit(__doc__)
base, bootstrap, persona = sys.argv[1:4]
seconds, seed = (sys.argv[4:] + ["30", "1"][len(sys.argv) - 4 :])[:2]


def tries(*phase, sequences=""):
    environment = {
        **os.environ,
        "FUZZ_BASE": base,
        "FUZZ_BOOTSTRAP": bootstrap,
        "FUZZ_PERSONA": persona,
        "FUZZ_SEQUENCES": sequences,
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(FOLDER),
    }
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", base, "--no-color"),
        *("--checks", "all", "--continue-on-failure", "--generation-database", "none"),
        *("--max-time", str(int(seconds) // 2), "--seed", seed, *phase),
    ]
    return subprocess.run(command, env=environment, check=False).returncode


alone = [part for tag in ALONE for part in ("--exclude-tag", tag)]
codes = [
    tries("--phases", "examples,coverage,fuzzing"),
    # A sequence goes on from what succeeds: what is wrong with a single request has been tried above.
    tries("--phases", "stateful", "--mode", "positive", *alone, sequences="yes"),
]
sys.exit(max(codes))
