"""A mail server for tests: keeps what it takes, and refuses as it is told.

    smtp_server.py FOLDER [--port N] [--tls none|starttls|implicit] [--name HOST] [--login USER:PASSWORD]

Prints its port. Each message becomes FOLDER/<n>.eml, as it was sent, and FOLDER/<n>.json with its envelope;
FOLDER/wire is all that clients said, decrypted. With TLS, FOLDER/ca.pem certifies it to be HOST.

How a recipient begins decides what happens:
    unknown      550 to RCPT                 spam        554 after DATA
    busy         451 to RCPT, the first time closing     421 to RCPT, the first time
    slow         an answer after a second    hangs       no answer to DATA
    hangs-once   no answer, the first time   lost        taken, but hung up without an answer, the first time
"""

import argparse
import asyncio
import datetime
import json
import os
import ssl
import sys
from collections import Counter

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder, host):
    """A certificate for `host` by an authority of its own, as a server's TLS context."""
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)

    def issued(subject, issuer, key, signer, extensions):
        names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
        builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1])
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now - day).not_valid_after(now + day)
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    is_authority = (x509.BasicConstraints(ca=True, path_length=0), True)
    ca = issued("Test authority", "Test authority", authority, authority, [is_authority])
    leaf = issued(host, "Test authority", own, authority, [
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([x509.DNSName(host)]), False),
    ])
    key = own.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    paths = {name: os.path.join(folder, name) for name in ("ca.pem", "leaf.pem", "key.pem")}
    for name, pem in (("ca.pem", ca), ("leaf.pem", leaf), ("key.pem", key)):
        with open(paths[name], "wb") as file:
            file.write(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paths["leaf.pem"], paths["key.pem"])
    return context


class Recorded(SMTP):
    """Writes down what clients say."""

    wire = None

    def data_received(self, data):
        self.wire.write(data)
        self.wire.flush()
        return super().data_received(data)


class Handler:
    def __init__(self, folder):
        self.folder, self.seen, self.count = folder, Counter(), 0

    def first_time(self, address):
        self.seen[address] += 1
        return self.seen[address] == 1

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("unknown"):
            return f"550 5.1.1 <{address}>: no such user"
        if address.startswith("busy") and self.first_time(address):
            return "451 4.7.1 greylisted, come again"
        if address.startswith("closing") and self.first_time(address):
            server.transport.write(b"421 4.3.2 shutting down\r\n")
            server.transport.close()
            return "421 4.3.2 shutting down"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("spam"):
            return "554 5.7.1 not wanted here"
        if to.startswith("slow"):
            await asyncio.sleep(1)
        once = to.startswith("hangs-once") and self.first_time(to)
        if once or (to.startswith("hangs") and not to.startswith("hangs-once")):
            self.keep(session, envelope, answered=False)
            await asyncio.sleep(3600)
        if to.startswith("lost") and self.first_time(to):
            self.keep(session, envelope, answered=False)
            server.transport.abort()
            return "250 2.0.0 never heard"
        self.keep(session, envelope, answered=True)
        return "250 2.0.0 OK"

    def keep(self, session, envelope, answered):
        self.count += 1
        place = os.path.join(self.folder, f"{self.count:06}")
        with open(place + ".eml", "wb") as file:
            file.write(envelope.original_content)
        facts = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "encrypted": session.ssl is not None or self.implicit,
            "login": bool(session.authenticated),
            "name": session.host_name,
            "answered": answered,
        }
        with open(place + ".draft", "w") as file:
            json.dump(facts, file)
        os.rename(place + ".draft", place + ".json")


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--tls", choices=["none", "starttls", "implicit"], default="none")
    parser.add_argument("--name", default="localhost")
    parser.add_argument("--login")
    asked = parser.parse_args()

    handler = Handler(asked.folder)
    handler.implicit = asked.tls == "implicit"
    context = None if asked.tls == "none" else certificate(asked.folder, asked.name)
    Recorded.wire = open(os.path.join(asked.folder, "wire"), "ab")

    def authenticated(server, session, envelope, mechanism, given):
        right = isinstance(given, LoginPassword) and asked.login == b":".join(
            [given.login, given.password]
        ).decode()
        return AuthResult(success=right, handled=False)

    def session():
        return Recorded(
            handler,
            hostname="mail.test",
            tls_context=context if asked.tls == "starttls" else None,
            require_starttls=asked.tls == "starttls",
            auth_required=asked.login is not None,
            auth_require_tls=False,
            authenticator=authenticated,
            enable_SMTPUTF8=True,
        )

    listening = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", asked.port, ssl=context if asked.tls == "implicit" else None
    )
    print(listening.sockets[0].getsockname()[1], flush=True)
    sys.stdout.close()
    await listening.serve_forever()


asyncio.run(main())
