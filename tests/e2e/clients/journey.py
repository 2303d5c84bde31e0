"""The whole journey through the client that openapi-python-client makes of the document, in production.

    journey.py BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER

`authsome_client` must be importable. Prints a line for each step; ends with 1 and a sentence at the first surprise.
"""

import json
import re
import secrets
import sys
import time
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, TypeVar

from authsome_client import AuthenticatedClient
from authsome_client.api.authentication import auth_sign_in, auth_sign_up, auth_verify_email
from authsome_client.api.me import me_read, me_switch_org
from authsome_client.api.organizations import (
    orgs_create,
    orgs_invitations_accept,
    orgs_invitations_create,
    orgs_invitations_lookup,
    orgs_members_list,
    orgs_members_remove,
)
from authsome_client.api.permissions import permissions_check
from authsome_client.api.sessions import sessions_list, sessions_revoke
from authsome_client.models.accept_invitation import AcceptInvitation
from authsome_client.models.check import Check
from authsome_client.models.check_results import CheckResults
from authsome_client.models.checks import Checks
from authsome_client.models.invitation import Invitation
from authsome_client.models.invitation_offer import InvitationOffer
from authsome_client.models.member import Member
from authsome_client.models.member_page import MemberPage
from authsome_client.models.new_invitation_body import NewInvitationBody
from authsome_client.models.new_organization_body import NewOrganizationBody
from authsome_client.models.organization import Organization
from authsome_client.models.outcome import Outcome
from authsome_client.models.outcome_status import OutcomeStatus
from authsome_client.models.problem import Problem
from authsome_client.models.session_page import SessionPage
from authsome_client.models.sign_in import SignIn
from authsome_client.models.sign_up import SignUp
from authsome_client.models.signed_in import SignedIn
from authsome_client.models.switch_org import SwitchOrg
from authsome_client.models.verification_required import VerificationRequired
from authsome_client.models.verify_email import VerifyEmail
from authsome_client.types import Response

PASSWORD = "correct horse battery staple 42"

T = TypeVar("T")


class Site(NamedTuple):
    base: str
    key: str
    mail: Path

    def page(self) -> AuthenticatedClient:
        """Who knows the publishable key, as the sign-in page does."""
        return AuthenticatedClient(base_url=self.base, token=self.key, prefix="", auth_header_name="X-Publishable-Key")

    def bearer(self, token: str) -> AuthenticatedClient:
        return AuthenticatedClient(base_url=self.base, token=token)


class Person(NamedTuple):
    email: str
    signed_in: SignedIn


def surprise(sentence: str) -> None:
    sys.exit(f"surprise: {sentence}")


def must(claim: bool, sentence: str) -> None:
    if not claim:
        surprise(sentence)


def given(kind: type[T], answer: object) -> T:
    """The answer, which must be of this kind: no problem, and nothing that another status has."""
    if not isinstance(answer, kind):
        sys.exit(f"surprise: expected {kind.__name__}, got {answer}")
    return answer


def refused(answer: Response[T], status: HTTPStatus) -> None:
    must(answer.status_code == status, f"expected {status}, got {answer.status_code}: {answer.content!r}")
    problem = given(Problem, answer.parsed)
    must(problem.status == status, f"another status in the problem: {problem}")


def token_to(site: Site, email: str, page: str) -> str:
    """The token of the link to `page` in a letter to `email`; letters come within seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for file in site.mail.glob("*.eml"):
            # Quoted-printable (RFC 2045 §6.7): soft line breaks, and the equals signs of the text.
            letter = re.sub(r"=\r?\n", "", file.read_bytes().decode()).replace("=3D", "=")
            link = re.search(rf"/pages/{page}\?token=([\w-]+)", letter)
            if f"To: {email}\r\n" in letter and link:
                return link[1]
        time.sleep(0.05)
    sys.exit(f"surprise: no letter with a link to {page} came to {email}")


def sign_in(site: Site, email: str) -> SignedIn:
    return given(SignedIn, auth_sign_in.sync(client=site.page(), body=SignIn(email=email, password=PASSWORD)))


def verified(site: Site, name: str) -> Person:
    email = f"{name}.{secrets.token_hex(6)}@example.org"
    signed_up = auth_sign_up.sync(client=site.page(), body=SignUp(email=email, password=PASSWORD))
    given(VerificationRequired, signed_up)
    early = auth_sign_in.sync_detailed(client=site.page(), body=SignIn(email=email, password=PASSWORD))
    refused(early, HTTPStatus.FORBIDDEN)
    letter = VerifyEmail(token=token_to(site, email, "verify-email"))
    outcome = given(Outcome, auth_verify_email.sync(client=site.page(), body=letter))
    must(outcome.status is OutcomeStatus.VERIFIED, f"verifying was {outcome.status}")
    return Person(email, sign_in(site, email))


def joins(site: Site, org: str, owner: Person, guest: Person) -> Member:
    invitation = NewInvitationBody(email=guest.email, role="member")
    as_owner, as_guest = site.bearer(owner.signed_in.access_token), site.bearer(guest.signed_in.access_token)
    given(Invitation, orgs_invitations_create.sync(org, client=as_owner, body=invitation))
    token = token_to(site, guest.email, "invitation")
    offer = given(InvitationOffer, orgs_invitations_lookup.sync(client=site.page(), token=token))
    must(offer.organization.name == "Acme", f"an offer of {offer.organization.name}")
    member = given(Member, orgs_invitations_accept.sync(client=as_guest, body=AcceptInvitation(token=token)))
    must(member.org_id == org, f"joined {member.org_id}")
    return member


def switch(client: AuthenticatedClient, org: str) -> SignedIn:
    switched = given(SignedIn, me_switch_org.sync(client=client, body=SwitchOrg(org_id=org)))
    must(switched.org_id == org, f"switched to {switched.org_id}")
    return switched


def checks(site: Site, org: str, token: str) -> None:
    asked = Checks([Check(resource="members", action=action, org_id=org) for action in ("read", "remove")])
    answered = given(CheckResults, permissions_check.sync(client=site.bearer(token), body=asked))
    must([it.allowed for it in answered.results] == [True, False], f"checked: {answered}")
    page = given(MemberPage, orgs_members_list.sync(org, client=site.bearer(token)))
    must(len(page.members) == 2, f"{len(page.members)} members")


def journey(site: Site) -> None:
    owner, guest = verified(site, "owner"), verified(site, "guest")
    must(owner.signed_in.user.email == owner.email, "signed in as somebody else")
    print("signed up and verified")

    as_owner = site.bearer(owner.signed_in.access_token)
    org = given(Organization, orgs_create.sync(client=as_owner, body=NewOrganizationBody(name="Acme"))).id
    member = joins(site, org, owner, guest)
    print("invited and accepted")

    switched = switch(site.bearer(guest.signed_in.access_token), org)
    checks(site, org, switched.access_token)
    print("switched and checked")

    other = site.bearer(sign_in(site, guest.email).access_token)
    sessions = given(SessionPage, sessions_list.sync(client=other)).sessions
    old = next(it.id for it in sessions if not it.current)
    must(sessions_revoke.sync_detailed(old, client=other).status_code == HTTPStatus.NO_CONTENT, "not revoked")
    refused(me_read.sync_detailed(client=site.bearer(switched.access_token)), HTTPStatus.UNAUTHORIZED)

    back = switch(other, org)
    removed = orgs_members_remove.sync_detailed(org, member.id, client=as_owner)
    must(removed.status_code == HTTPStatus.NO_CONTENT, f"not removed: {removed.content!r}")
    left = orgs_members_list.sync_detailed(org, client=site.bearer(back.access_token))
    refused(left, HTTPStatus.UNAUTHORIZED)
    print("revoked and refused")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    told = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    production = next(it for it in told["environments"] if it["slug"] == "production")
    journey(Site(sys.argv[1].rstrip("/"), production["publishable_key"], Path(sys.argv[3])))
