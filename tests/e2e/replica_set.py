"""Makes the mongod on a port of 127.0.0.1 a replica set of one, and returns when it accepts writes.

    replica_set.py PORT
"""

import sys
import time

from pymongo import MongoClient

SECONDS = 60

port = int(sys.argv[1])
members = [{"_id": 0, "host": f"127.0.0.1:{port}"}]
# Server selection waits for a server that is still starting.
admin = MongoClient("127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=SECONDS * 1000).admin
admin.command("replSetInitiate", {"_id": "rs0", "members": members})
deadline = time.monotonic() + SECONDS
while not admin.command("hello")["isWritablePrimary"]:
    if time.monotonic() > deadline:
        sys.exit(f"no writable primary within {SECONDS} s")
    time.sleep(0.05)
