//! Discovery: what a client finds that knows the issuer alone.

use std::process::Command;

use super::{succeeds, with_modules};
use crate::support::app::TestApp;
use crate::support::stores::{Backend, run};

/// A client that knows the issuer alone: keys, tokens for a key, and what they are good for.
const DISCOVERING: &str = r#"
import assert from "node:assert/strict";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [issuer, audience, secret] = process.argv.slice(2);
for (const name of ["openid-configuration", "oauth-authorization-server"]) {
  const server = await (await fetch(`${issuer}/.well-known/${name}`)).json();
  assert.equal(server.issuer, issuer); // RFC 8414 §3.3

  assert.deepEqual(server.token_endpoint_auth_methods_supported, ["client_secret_post"]);
  const [grant_type] = server.grant_types_supported;
  const body = new URLSearchParams({ grant_type, client_secret: secret, scope: "users:list" });
  const granted = await (await fetch(server.token_endpoint, { method: "POST", body })).json();
  assert.equal(granted.scope, "users:list");

  const keys = createRemoteJWKSet(new URL(server.jwks_uri));
  const currentDate = new Date(Number(process.argv[5]));
  const rules = { issuer, audience, algorithms: ["ES256"], typ: "at+jwt", currentDate };
  const { payload } = await jwtVerify(granted.access_token, keys, rules);
  assert.equal(payload.scope, "users:list");

  const [scheme] = server.introspection_endpoint_auth_methods_supported;
  const asked = await fetch(server.introspection_endpoint, {
    method: "POST",
    headers: { authorization: `${scheme} ${secret}` },
    body: new URLSearchParams({ token: granted.access_token }),
  });
  const found = await asked.json();
  assert.deepEqual([found.active, found.jti, found.scope], [true, payload.jti, "users:list"]);
}
"#;

#[test]
fn a_client_that_knows_the_issuer_alone_finds_what_it_needs() {
    run(async {
        let app = TestApp::on(Backend::Sqlite).await;
        let (url, now) = (app.client().url(), app.clock.now().as_millis());
        let door = &app.own.development;
        let folder = with_modules(&[("client.mjs", DISCOVERING.to_owned())]);
        let mut node = Command::new("node");
        node.arg(folder.path().join("client.mjs"));
        node.args([&url, &door.app_id, &door.secret_key, &now.to_string()]);

        let ran = tokio::task::spawn_blocking(move || succeeds(&mut node));

        ran.await.expect("it runs to its end");
    });
}
