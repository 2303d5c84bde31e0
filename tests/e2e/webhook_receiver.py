"""A receiver of webhooks that trusts nothing but the `standardwebhooks` package.

    webhook_receiver.py SECRET_FILE

Prints its port. Each message is verified by the secret that the file holds then, and answered 204; with 400 and a
sentence where it is not good, or where something is good that must not be: another body, time or identifier, a
secret of somebody else, a message of six minutes ago.
"""

import http.server
import json
import pathlib
import sys

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

STRANGER = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


def fault(secret, headers, body):
    """What is wrong with a message; None where it is as it must be."""
    try:
        message = Webhook(secret).verify(body, headers)
    except WebhookVerificationError as why:
        return f"refused: {why}"
    if message != json.loads(body) or not message["id"] == headers["webhook-id"]:
        return "another message"
    earlier = str(int(headers["webhook-timestamp"]) - 1)
    altered = {
        "body": (secret, headers, body.replace(b'"outcome"', b'"outcame"')),
        "white space": (secret, headers, body + b" "),
        "time": (secret, {**headers, "webhook-timestamp": earlier}, body),
        "an old time": (secret, {**headers, "webhook-timestamp": str(int(earlier) - 360)}, body),
        "identifier": (secret, {**headers, "webhook-id": "aevt_01h2xcejqtf2nbrexx3vqjhp41"}, body),
        "signature": (secret, {**headers, "webhook-signature": "v1,"}, body),
        "secret": (STRANGER, headers, body),
    }
    for what, (secret, headers, body) in altered.items():
        try:
            Webhook(secret).verify(body, headers)
        except WebhookVerificationError:
            continue
        return f"another {what} is good as well"
    return None


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        secret = pathlib.Path(sys.argv[1]).read_text()
        wrong = fault(secret, headers, body)
        self.send_response(400 if wrong else 204)
        self.send_header("content-length", str(len((wrong or "").encode())))
        self.end_headers()
        self.wfile.write((wrong or "").encode())

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
print(server.server_port, flush=True)
server.serve_forever()
