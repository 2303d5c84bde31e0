"""Tries every operation of the document against a running server, as one persona, and tells what breaks a promise.

    fuzz.py BASE BOOTSTRAP_JSON_FILE PERSONA [SECONDS [SEED]]

PERSONA is one of anonymous, user, owner, admin, operator, key. The examples of the document come first, then every
boundary of its schemas, then cases by chance, then sequences of operations that hand on what they were told; the last
two go on until SECONDS (30) are over. The same SEED (1) gives the same cases. Ends with 1 at a finding: a 5xx, a
status, header or body that the document does not have, a credential that is not asked for, something deleted that is
still there, valid data refused or invalid data taken. `hooks.py` says what is no finding, and why.
"""

import os
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
DOCUMENT = FOLDER.parents[2] / "openapi" / "authsome.json"

if len(sys.argv) not in (4, 5, 6):
    sys.exit(__doc__)
base, bootstrap, persona = sys.argv[1:4]
seconds, seed = (sys.argv[4:] + ["30", "1"][len(sys.argv) - 4 :])[:2]

os.environ.update(
    FUZZ_BASE=base,
    FUZZ_BOOTSTRAP=bootstrap,
    FUZZ_PERSONA=persona,
    SCHEMATHESIS_HOOKS="hooks",
    PYTHONPATH=os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")])),
)
arguments = [
    *("run", str(DOCUMENT), "--url", base, "--checks", "all", "--continue-on-failure", "--no-color"),
    *("--max-time", seconds, "--seed", seed, "--generation-database", "none"),
]
os.execv(sys.executable, [sys.executable, "-m", "schemathesis.cli", *arguments])
