"""Who asks: each persona makes itself on a fresh server, and knows how to come back when it was signed out.

Nothing here is schemathesis: `hooks.py` puts what a persona presents into the cases that are tried.
"""

import secrets

import requests

PASSWORD = "correct horse battery staple 42"


class Site:
    """A running server, and what `authsome bootstrap --json` told of it."""

    def __init__(self, base, told):
        self.base, self.told = base.rstrip("/"), told
        self.keys = {"X-Publishable-Key": told["publishable_key"]}
        self.app = {"app_id": told["app_id"], "env_id": told["env_id"]}

    def ask(self, method, path, headers, body=None, params=None):
        return requests.request(method, self.base + path, headers=headers, json=body, params=params, timeout=30)

    def gives(self, method, path, headers, body=None, params=None):
        answer = self.ask(method, path, headers, body, params)
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def operator(self):
        """What the operator presents, signed in anew: nobody who is tried here has power over him."""
        keys = {"X-Publishable-Key": self.told["platform"]["publishable_key"]}
        account = {name: self.told["admin"][name] for name in ("email", "password")}
        token = self.gives("POST", "/v1/signin", keys, account)["access_token"]
        return {**keys, "Authorization": f"Bearer {token}"}

    def restore(self):
        """Undoes what keeps people out: a persona that administers the app may have set anything."""
        settings = f"/v1/environments/{self.told['env_id']}/settings"
        opened = {"require_verification": False, "signup_open": True}
        operator = self.operator()
        self.gives("PATCH", settings, operator, opened, self.app)
        for what in ("session-config", "client-config", "branding", "form-configs/signup", "form-configs/profile"):
            self.gives("DELETE", f"/v1/admin/apps/{self.told['app_id']}/{what}", operator, params=self.app)


class Persona:
    """What somebody presents with every request: headers, and members of the query."""

    def __init__(self, site):
        self.site = site
        self.query = {}
        self.comes_back()

    def comes_back(self):
        """Makes the persona, or signs it in again."""
        self.headers = dict(self.site.keys)

    def is_in(self):
        """Whether what it presents is still accepted."""
        return True


class Anonymous(Persona):
    """Whoever opens the sign-in page: the publishable key is no secret."""


class User(Persona):
    """Somebody with an account, and nothing else."""

    email = None

    def comes_back(self):
        self.site.restore()
        self.present(self.signed_in() or self.signed_up())

    def signed_in(self):
        if self.email is None:
            return None
        answer = self.site.ask("POST", "/v1/signin", self.site.keys, {"email": self.email, "password": PASSWORD})
        return answer.json()["access_token"] if answer.ok else None

    def signed_up(self):
        self.email = f"{type(self).__name__.lower()}.{secrets.token_hex(6)}@example.org"
        account = {"email": self.email, "password": PASSWORD}
        told = self.site.gives("POST", "/v1/signup", self.site.keys, account)
        self.user = told["user"]["id"]
        return told["access_token"]

    def present(self, token):
        self.headers = {**self.site.keys, "Authorization": f"Bearer {token}"}

    def is_in(self):
        return self.site.ask("GET", "/v1/me", self.headers).ok


class Owner(User):
    """An owner of an organization who has chosen it, with somebody invited and a team."""

    def comes_back(self):
        super().comes_back()
        org = self.site.gives("POST", "/v1/orgs", self.headers, {"name": "Acme"})["id"]
        here = f"/v1/orgs/{org}"
        self.site.gives("POST", f"{here}/teams", self.headers, {"name": "Design"})
        self.site.gives("POST", f"{here}/roles", self.headers, {"name": "editor", "permissions": []})
        guest = {"email": f"guest.{secrets.token_hex(6)}@example.org", "role": "member"}
        self.site.gives("POST", f"{here}/invitations", self.headers, guest)
        switched = self.site.gives("POST", "/v1/me/switch-org", self.headers, {"org_id": org})
        self.present(switched["access_token"])

    def is_in(self):
        return self.site.ask("GET", "/v1/me/orgs", self.headers).json().get("orgs")


class Admin(User):
    """An administrator of the app."""

    def comes_back(self):
        super().comes_back()
        roles = f"/v1/admin/users/{self.user}/roles"
        self.site.gives("POST", roles, self.site.operator(), {"roles": ["ADMIN", "USER"]}, self.site.app)
        self.present(self.signed_in())

    def is_in(self):
        return self.site.ask("GET", "/v1/admin/users", self.headers).ok


class Operator(Persona):
    """The operator of the platform, who acts on the app."""

    def comes_back(self):
        self.query, self.headers = dict(self.site.app), self.site.operator()

    def is_in(self):
        return self.site.ask("GET", "/v1/admin/users", self.headers, params=self.query).ok


class Key(Persona):
    """A backend with the secret key of an environment; with another's, once that is revoked."""

    def comes_back(self):
        environments = sorted(self.site.told["environments"], key=lambda it: it["id"] != self.site.told["env_id"])
        for environment in environments:
            self.headers = {"X-API-Key": environment["secret_key"]}
            if self.is_in():
                return

    def is_in(self):
        return self.site.ask("GET", "/v1/admin/users", self.headers).ok


PERSONAS = {"anonymous": Anonymous, "user": User, "owner": Owner, "admin": Admin, "operator": Operator, "key": Key}
