"""Password hashes as other systems make them: one JSON line each, with the password they are of.

    hashes.py PASSWORD

Each is made by an implementation that shares nothing with the server: argon2-cffi (libargon2), bcrypt, passlib,
and Python's hashlib (OpenSSL); Firebase's with hashlib and cryptography.
"""
import base64
import hashlib
import json
import os
import sys

import argon2
import bcrypt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from passlib.hash import pbkdf2_sha256, pbkdf2_sha512

password = sys.argv[1]
raw = password.encode()


def bare(data):
    return base64.b64encode(data).decode().rstrip("=")


def django(iterations):
    salt = "x7Kd02mQpLw9"
    derived = hashlib.pbkdf2_hmac("sha256", raw, salt.encode(), iterations)
    return f"pbkdf2_sha256${iterations}${salt}${base64.b64encode(derived).decode()}"


def scrypt(log_n, r, p):
    salt = os.urandom(16)
    derived = hashlib.scrypt(raw, salt=salt, n=1 << log_n, r=r, p=p, dklen=32, maxmem=1 << 28)
    return f"$scrypt$ln={log_n},r={r},p={p}${bare(salt)}${bare(derived)}"


def phc_pbkdf2(iterations):
    salt = os.urandom(16)
    derived = hashlib.pbkdf2_hmac("sha256", raw, salt, iterations)
    return f"$pbkdf2-sha256$i={iterations},l=32${bare(salt)}${bare(derived)}"


def firebase():
    signer, salt, separator = os.urandom(64), os.urandom(12), b"\x07"
    derived = hashlib.scrypt(raw, salt=salt + separator, n=1 << 14, r=8, p=1, dklen=64, maxmem=1 << 26)
    cipher = Cipher(algorithms.AES(derived[:32]), modes.CTR(bytes(16))).encryptor()
    encode = lambda data: base64.b64encode(data).decode()
    return {
        "password_hash": encode(cipher.update(signer) + cipher.finalize()),
        "password_salt": encode(salt),
        "firebase": {
            "signer_key": encode(signer), "salt_separator": encode(separator), "rounds": 8, "mem_cost": 14,
        },
    }


own = bcrypt.hashpw(raw, bcrypt.gensalt(4)).decode()
hashes = {
    "bcrypt-2b": own,
    "bcrypt-2a": bcrypt.hashpw(raw, bcrypt.gensalt(4, prefix=b"2a")).decode(),
    # PHP's name for the same.
    "bcrypt-2y": own.replace("$2b$", "$2y$"),
    "argon2id": argon2.PasswordHasher(time_cost=2, memory_cost=8192, parallelism=2).hash(password),
    "scrypt": scrypt(12, 8, 1),
    "pbkdf2": phc_pbkdf2(10_000),
    "passlib-pbkdf2": pbkdf2_sha256.using(rounds=10_000).hash(password),
    "passlib-pbkdf2-sha512": pbkdf2_sha512.using(rounds=10_000).hash(password),
    "django": django(10_000),
}
for kind, made in hashes.items():
    print(json.dumps({"email": f"{kind}@example.org", "password_hash": made}))
print(json.dumps({"email": "firebase@example.org", **firebase()}))
