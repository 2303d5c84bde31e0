"""The main job from outside: a user signs up, and a backend that shares nothing with the server trusts the token.

    journey.py BASE BOOTSTRAP_JSON_FILE [ISSUER]

BASE is the origin of a running server, the file is what `authsome bootstrap --json` printed, ISSUER is the server's
public URL where that is not BASE. Prints a line for each step; ends with 1 and a sentence at the first surprise.
"""

import functools
import json
import secrets
import sys
import traceback
import urllib.error
import urllib.request

import jwt

ALGORITHM = "ES256"
PASSWORD = "correct horse battery staple 42"


class Answer:
    """What came back: the status, the headers, and the JSON body (None where there is none)."""

    def __init__(self, asked, response):
        self.asked = asked
        self.status = response.status
        self.headers = response.headers
        text = response.read()
        self.body = json.loads(text) if text else None

    def __str__(self):
        return f"{self.asked}: {self.status} {json.dumps(self.body)}"


class Server:
    def __init__(self, base, publishable_key):
        self.base = base.rstrip("/")
        self.publishable_key = publishable_key

    def ask(self, method, path, body=None, token=None):
        headers = {"X-Publishable-Key": self.publishable_key}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return Answer(f"{method} {path}", response)
        except urllib.error.HTTPError as refused:
            with refused:
                return Answer(f"{method} {path}", refused)
        except OSError as why:
            surprise(f"{method} {path}: no answer: {why}")

    def sign_in(self, email):
        return succeeds(self.ask("POST", "/v1/signin", {"email": email, "password": PASSWORD}), 200)


def surprise(sentence):
    sys.exit(f"surprise: {sentence}")


def must(claim, sentence):
    if not claim:
        surprise(sentence)


def succeeds(answer, status):
    must(answer.status == status, f"expected {status}: {answer}")
    must(answer.body is not None, f"without a JSON body: {answer}")
    return answer.body


def refuses(answer, kind=None):
    """A 401 in the shape of RFC 9457; `kind` is its type, where the journey depends on it."""
    must(answer.status == 401, f"expected 401 {kind or 'of any type'}: {answer}")
    media = answer.headers.get_content_type()
    must(media == "application/problem+json", f"a problem as {media}: {answer}")
    must(answer.headers.get("WWW-Authenticate"), f"without WWW-Authenticate: {answer}")
    must(answer.headers.get("X-Request-Id") == answer.body["request_id"], f"another request id: {answer}")
    must(answer.body["status"] == 401, f"another status in the problem: {answer}")
    must(kind in (None, answer.body["type"]), f"expected {kind}: {answer}")


def verified(token, keys, app_id, issuer):
    """The claims of an access token, as a backend reads them: from the published keys alone (RFC 9068 §4)."""
    header = jwt.get_unverified_header(token)
    must(header["typ"] == "at+jwt", f"a token of the type {header['typ']}")
    must(header["alg"] == ALGORITHM, f"a token signed with {header['alg']}")
    must(header["kid"] in keys, f"a token signed with an unpublished key, {header['kid']}")
    required = ["iss", "sub", "aud", "exp", "iat", "jti", "sid"]
    try:
        key, options = keys[header["kid"]], {"require": required}
        return jwt.decode(token, key, algorithms=[ALGORITHM], audience=app_id, issuer=issuer, options=options)
    except jwt.InvalidTokenError as why:
        surprise(f"the token does not verify offline: {why!r}")


def published_keys(server):
    document = succeeds(server.ask("GET", "/.well-known/jwks.json"), 200)
    for key in document["keys"]:
        private = {"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys()
        must(not private, f"a published key has private members: {sorted(private)}")
        must(key["use"] == "sig" and key["alg"], f"a published key without its use: {key}")
    return {key.key_id: key for key in jwt.PyJWKSet.from_dict(document).keys}


def altered(token):
    """The same token with another first character in its signature."""
    head, payload, signature = token.split(".")
    return ".".join([head, payload, ("B" if signature[0] == "A" else "A") + signature[1:]])


def sign_up(server):
    """A new account and its first session; the address is given in capitals and kept in small letters."""
    email = f"mia.{secrets.token_hex(6)}@example.org"
    account = {"email": email.upper(), "password": PASSWORD, "first_name": "Mia"}
    tokens = succeeds(server.ask("POST", "/v1/signup", account), 201)
    user = tokens["user"]
    must(user["id"].startswith("ausr_") and user["email"] == email, f"signed up as somebody else: {user}")
    must(tokens["access_token"] == tokens["session_token"], "access_token and session_token differ")
    print(f"signed up as {user['id']}")
    return user, tokens


def sign_in(server, email):
    wrong = {"email": email, "password": PASSWORD + "!"}
    refuses(server.ask("POST", "/v1/signin", wrong), "invalid_credentials")
    print("a wrong password is refused")
    tokens = server.sign_in(email)
    must(tokens["token_type"] == "Bearer", f"a token of the type {tokens['token_type']}")
    print("signed in")
    return tokens


def says_who(claims, user, tokens, bootstrap):
    expected = {
        "sub": user["id"], "app_id": bootstrap["app_id"], "env_id": bootstrap["env_id"], "roles": ["USER"],
        "email": user["email"], "email_verified": False, "amr": ["pwd"], "ver": 1,
    }
    different = {name: claims.get(name) for name, value in expected.items() if claims.get(name) != value}
    must(not different, f"claims differ from what was expected: {different}")
    must(claims["exp"] - claims["iat"] == tokens["expires_in"], "expires_in and the claims disagree")
    print("verified the access token offline")


def call(server, user, token):
    me = succeeds(server.ask("GET", "/v1/me", token=token), 200)
    must(me["id"] == user["id"] and me["email"] == user["email"], f"/v1/me is somebody else: {me}")
    print("the token opens /v1/me")
    refuses(server.ask("GET", "/v1/me"))
    refuses(server.ask("GET", "/v1/me", token=altered(token)))
    print("no token and an altered one do not")


def refresh(server, verify, tokens, claims):
    fresh = succeeds(server.ask("POST", "/v1/refresh", {"refresh_token": tokens["refresh_token"]}), 200)
    must(fresh["refresh_token"] != tokens["refresh_token"], "the refresh token was not rotated")
    renewed = verify(fresh["access_token"])
    must((renewed["sid"], renewed["sub"]) == (claims["sid"], claims["sub"]), "refreshing changed session or user")
    must(renewed["jti"] != claims["jti"], "refreshing gave the same token again")
    succeeds(server.ask("GET", "/v1/me", token=fresh["access_token"]), 200)
    print("refreshed")
    return fresh


def replay(server, tokens, fresh):
    refuses(server.ask("POST", "/v1/refresh", {"refresh_token": tokens["refresh_token"]}), "refresh_token_reused")
    print("the old refresh token is a replay")
    refuses_all_of(server, fresh)
    print("the replayed session is dead, with its newest tokens")


def refuses_all_of(server, tokens):
    refuses(server.ask("GET", "/v1/me", token=tokens["access_token"]))
    refuses(server.ask("POST", "/v1/refresh", {"refresh_token": tokens["refresh_token"]}))


def end_sessions(server, verify, email, dead):
    here, there = server.sign_in(email), server.sign_in(email)
    other = verify(there["access_token"])["sid"]
    listed = succeeds(server.ask("GET", "/v1/sessions", token=here["access_token"]), 200)["sessions"]
    ids = [session["id"] for session in listed]
    must(other in ids and dead not in ids, f"not the live sessions, {other} but not {dead}: {ids}")
    ended = server.ask("DELETE", f"/v1/sessions/{other}", token=here["access_token"])
    must(ended.status in (200, 204), f"ending another session: {ended}")
    refuses_all_of(server, there)
    print("ended another session")

    succeeds(server.ask("GET", "/v1/me", token=here["access_token"]), 200)
    out = server.ask("POST", "/v1/signout", token=here["access_token"])
    must(out.status in (200, 204), f"signing out: {out}")
    refuses_all_of(server, here)
    print("signed out")


def journey(base, bootstrap, issuer):
    server = Server(base, bootstrap["publishable_key"])
    user, first = sign_up(server)
    tokens = sign_in(server, user["email"])

    # From here on the keys are those that were published once: verifying asks the server nothing.
    keys = published_keys(server)
    verify = functools.partial(verified, keys=keys, app_id=bootstrap["app_id"], issuer=issuer)
    claims = verify(tokens["access_token"])
    says_who(claims, user, tokens, bootstrap)
    call(server, user, tokens["access_token"])

    fresh = refresh(server, verify, tokens, claims)
    replay(server, tokens, fresh)
    end_sessions(server, verify, user["email"], dead=claims["sid"])

    succeeds(server.ask("GET", "/v1/me", token=first["access_token"]), 200)
    print("the session of the sign-up lives on")


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    origin = sys.argv[1].rstrip("/")
    with open(sys.argv[2], encoding="utf-8") as file:
        bootstrapped = json.load(file)
    try:
        journey(origin, bootstrapped, sys.argv[3] if len(sys.argv) == 4 else origin)
    except KeyError as missing:
        traceback.print_exc()
        surprise(f"{missing} is missing")
