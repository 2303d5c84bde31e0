// The main job through a client generated from the OpenAPI document: what does not type-check is missing there.
//
//   node client.js BASE BOOTSTRAP_JSON_FILE      (generate.sh makes client.js)
//
// Prints a line for each step; ends with 1 and a sentence at the first surprise.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

class Surprise extends Error {}

function must(claim: boolean, sentence: string): asserts claim {
  if (!claim) throw new Surprise(sentence);
}

/** The body of an answer that must be a success. */
function given<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  must(answer.data !== undefined, `${answer.response.url}: ${answer.response.status} ${JSON.stringify(answer.error)}`);
  return answer.data;
}

/** An answer that must be a success, with or without a body. */
function done({ response }: { response: Response }) {
  must(response.ok, `${response.url}: ${response.status}`);
}

/** An answer that must be a 401; `type` is its problem type, where the journey depends on it. */
function refused(answer: { error?: { type: string }; response: Response }, type?: string) {
  const { error, response } = answer;
  must(response.status === 401 && error !== undefined, `${response.url}: expected 401, got ${response.status}`);
  must(type === undefined || error.type === type, `${response.url}: expected ${type}, got ${error.type}`);
}

async function journey(base: string, publishableKey: string) {
  const api = createClient<paths>({ baseUrl: base, headers: { "X-Publishable-Key": publishableKey } });
  const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });
  const email = `mia.${randomBytes(6).toString("hex")}@example.org`;
  const password = "correct horse battery staple 42";
  const signIn = async () => given(await api.POST("/v1/signin", { body: { email, password } }));

  const signedUp = given(await api.POST("/v1/signup", { body: { email, password, first_name: "Mia" } }));
  must("user" in signedUp, "signing up asks for a verification that this environment does not require");
  must(signedUp.user.email === email, `signed up as ${signedUp.user.email}`);
  console.log(`signed up as ${signedUp.user.id}`);

  refused(await api.POST("/v1/signin", { body: { email, password: `${password}!` } }), "invalid_credentials");
  const tokens = await signIn();
  must(tokens.user.id === signedUp.user.id, "signed in as somebody else");
  console.log("signed in");

  const me = given(await api.GET("/v1/me", bearer(tokens.access_token)));
  must(me.id === signedUp.user.id && me.roles.includes("USER"), `/v1/me is somebody else: ${me.id} ${me.roles.join()}`);
  refused(await api.GET("/v1/me"));
  console.log("the token opens /v1/me");

  const fresh = given(await api.POST("/v1/refresh", { body: { refresh_token: tokens.refresh_token } }));
  given(await api.GET("/v1/me", bearer(fresh.access_token)));
  console.log("refreshed");

  refused(await api.POST("/v1/refresh", { body: { refresh_token: tokens.refresh_token } }), "refresh_token_reused");
  refused(await api.GET("/v1/me", bearer(fresh.access_token)));
  refused(await api.POST("/v1/refresh", { body: { refresh_token: fresh.refresh_token } }));
  console.log("a replay ended the session");

  const here = bearer((await signIn()).access_token);
  const there = bearer((await signIn()).access_token);
  const { sessions } = given(await api.GET("/v1/sessions", here));
  must(sessions.length === 3, `expected 3 live sessions, got ${sessions.length}`);
  // Lists are newest first: the session of `there` was made last.
  const id = sessions[0]?.id ?? "";
  done(await api.DELETE("/v1/sessions/{id}", { ...here, params: { path: { id } } }));
  refused(await api.GET("/v1/me", there));
  console.log("ended another session");

  done(await api.POST("/v1/signout", here));
  refused(await api.GET("/v1/me", here));
  console.log("signed out");
}

const [base, file] = process.argv.slice(2);
if (base === undefined || file === undefined) throw new Error("usage: client.js BASE BOOTSTRAP_JSON_FILE");
try {
  await journey(base.replace(/\/+$/, ""), JSON.parse(readFileSync(file, "utf8")).publishable_key);
} catch (why) {
  if (!(why instanceof Surprise)) throw why;
  console.error(`surprise: ${why.message}`);
  process.exit(1);
}
