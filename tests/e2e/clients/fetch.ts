// The whole journey through the client that openapi-typescript and openapi-fetch make of the document.
//
//   node fetch.js BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER

import createClient from "openapi-fetch";
import type { paths } from "../schema.js";
import { PASSWORD, address, done, given, must, refused, run, tokenTo } from "./support.js";

await run(async (base, key, mail) => {
  const api = createClient<paths>({ baseUrl: base, headers: { "X-Publishable-Key": key } });
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  const signIn = async (email: string) => given(await api.POST("/v1/signin", { body: { email, password: PASSWORD } }));

  async function verified(name: string) {
    const email = address(name);
    const signedUp = given(await api.POST("/v1/signup", { body: { email, password: PASSWORD } }));
    must("status" in signedUp && signedUp.status === "verification_required", "production verifies addresses");
    const early = await api.POST("/v1/signin", { body: { email, password: PASSWORD } });
    refused(early, early.error, 403);
    const token = await tokenTo(email, "verify-email", mail);
    const outcome = given(await api.POST("/v1/verify-email", { body: { token } }));
    must(outcome.status === "verified", `verifying was ${outcome.status}`);
    return { email, ...(await signIn(email)) };
  }

  const owner = await verified("owner");
  const guest = await verified("guest");
  must(owner.user.email === owner.email && owner.user.email_verified, "signed in as somebody else");
  console.log("signed up and verified");

  const asOwner = bearer(owner.access_token);
  const org = given(await api.POST("/v1/orgs", { ...asOwner, body: { name: "Acme" } })).id;
  const path = { org };
  const body = { email: guest.email, role: "member" };
  const invitation = given(await api.POST("/v1/orgs/{org}/invitations", { ...asOwner, params: { path }, body }));
  must(invitation.status === "pending", `an invitation that is ${invitation.status}`);
  const token = await tokenTo(guest.email, "invitation", mail);
  const offer = given(await api.GET("/v1/orgs/invitations/lookup", { params: { query: { token } } }));
  must(offer.organization.name === "Acme", `an offer of ${offer.organization.name}`);
  const member = given(
    await api.POST("/v1/orgs/invitations/accept", { ...bearer(guest.access_token), body: { token } }),
  );
  must("org_id" in member && "joined_at" in member && member.org_id === org, "joined something else");
  console.log("invited and accepted");

  const switched = given(
    await api.POST("/v1/me/switch-org", { ...bearer(guest.access_token), body: { org_id: org } }),
  );
  must(switched.org_id === org, "switched to something else");
  const asGuest = bearer(switched.access_token);
  const checks = [
    { resource: "members", action: "read", org_id: org },
    { resource: "members", action: "remove", org_id: org },
  ];
  const { results } = given(await api.POST("/v1/permissions/check", { ...asGuest, body: { checks } }));
  must(results[0]?.allowed === true && results[1]?.allowed === false, `checked: ${JSON.stringify(results)}`);
  const { members } = given(await api.GET("/v1/orgs/{org}/members", { ...asGuest, params: { path } }));
  must(members.length === 2, `${members.length} members`);
  console.log("switched and checked");

  const other = bearer((await signIn(guest.email)).access_token);
  const { sessions } = given(await api.GET("/v1/sessions", other));
  const old = sessions.find((it) => !it.current)?.id ?? "";
  done(await api.DELETE("/v1/sessions/{id}", { ...other, params: { path: { id: old } } }));
  const ended = await api.GET("/v1/me", asGuest);
  refused(ended, ended.error, 401);

  const back = given(await api.POST("/v1/me/switch-org", { ...other, body: { org_id: org } }));
  const removed = { ...asOwner, params: { path: { org, member: member.id } } };
  done(await api.DELETE("/v1/orgs/{org}/members/{member}", removed));
  const left = await api.GET("/v1/orgs/{org}/members", { ...bearer(back.access_token), params: { path } });
  refused(left, left.error, 401);
  console.log("revoked and refused");
});
