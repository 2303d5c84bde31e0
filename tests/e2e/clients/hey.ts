// The whole journey through the client that @hey-api/openapi-ts makes of the document.
//
//   node hey.js BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER

import * as authsome from "../hey/index.js";
import { client } from "../hey/client.gen.js";
import { PASSWORD, address, done, given, must, refused, run, tokenTo } from "./support.js";

await run(async (base, key, mail) => {
  client.setConfig({ baseUrl: base, headers: { "X-Publishable-Key": key } });
  // The generated code asks for the credential of a scheme; each person has his own.
  const as = (token: string) => ({ auth: (asked: { scheme?: string }) => (asked.scheme === "bearer" ? token : undefined) });
  const signIn = async (email: string) => given(await authsome.authSignIn({ body: { email, password: PASSWORD } }));

  async function verified(name: string) {
    const email = address(name);
    const signedUp = given(await authsome.authSignUp({ body: { email, password: PASSWORD } }));
    must("status" in signedUp && signedUp.status === "verification_required", "production verifies addresses");
    const early = await authsome.authSignIn({ body: { email, password: PASSWORD } });
    refused(early, early.error, 403);
    const token = await tokenTo(email, "verify-email", mail);
    const outcome = given(await authsome.authVerifyEmail({ body: { token } }));
    must(outcome.status === "verified", `verifying was ${outcome.status}`);
    return { email, ...(await signIn(email)) };
  }

  const owner = await verified("owner");
  const guest = await verified("guest");
  must(owner.user.email === owner.email && owner.user.email_verified, "signed in as somebody else");
  console.log("signed up and verified");

  const asOwner = as(owner.access_token);
  const org = given(await authsome.orgsCreate({ ...asOwner, body: { name: "Acme" } })).id;
  const path = { org };
  const body = { email: guest.email, role: "member" };
  const invitation = given(await authsome.orgsInvitationsCreate({ ...asOwner, path, body }));
  must(invitation.status === "pending", `an invitation that is ${invitation.status}`);
  const token = await tokenTo(guest.email, "invitation", mail);
  const offer = given(await authsome.orgsInvitationsLookup({ query: { token } }));
  must(offer.organization.name === "Acme", `an offer of ${offer.organization.name}`);
  const member = given(await authsome.orgsInvitationsAccept({ ...as(guest.access_token), body: { token } }));
  must("joined_at" in member && member.org_id === org, "joined something else");
  console.log("invited and accepted");

  const switched = given(await authsome.meSwitchOrg({ ...as(guest.access_token), body: { org_id: org } }));
  must(switched.org_id === org, "switched to something else");
  const asGuest = as(switched.access_token);
  const checks = [
    { resource: "members", action: "read", org_id: org },
    { resource: "members", action: "remove", org_id: org },
  ];
  const { results } = given(await authsome.permissionsCheck({ ...asGuest, body: { checks } }));
  must(results[0]?.allowed === true && results[1]?.allowed === false, `checked: ${JSON.stringify(results)}`);
  const { members } = given(await authsome.orgsMembersList({ ...asGuest, path }));
  must(members.length === 2, `${members.length} members`);
  console.log("switched and checked");

  const other = as((await signIn(guest.email)).access_token);
  const { sessions } = given(await authsome.sessionsList(other));
  const old = sessions.find((it) => !it.current)?.id ?? "";
  done(await authsome.sessionsRevoke({ ...other, path: { id: old } }));
  const ended = await authsome.meRead(asGuest);
  refused(ended, ended.error, 401);

  const back = given(await authsome.meSwitchOrg({ ...other, body: { org_id: org } }));
  done(await authsome.orgsMembersRemove({ ...asOwner, path: { org, member: member.id } }));
  const left = await authsome.orgsMembersList({ ...as(back.access_token), path });
  refused(left, left.error, 401);
  console.log("revoked and refused");
});
