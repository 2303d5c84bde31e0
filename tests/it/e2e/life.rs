//! A life by mail: an account from its sign-up to its end and beyond, by links that are followed out
//! of letters. What begins on one node goes on on the other.

use serde_json::{Value, json};

use super::server::{PASSWORD, Server, eventually, text};
use super::stage::{Expected, LAPTOP, Stage};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::stores::on_both_stores;

/// Before and after the change of address.
pub const OLD: &str = "mia.elder@example.org";
pub const NEW: &str = "mia.younger@example.net";
const SECOND_PASSWORD: &str = "nine-loud-kestrels-3316";
const THIRD_PASSWORD: &str = "two-grey-badgers-8051";
const PHONE: &str = "phone-of-mia-88014523";
const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";

on_both_stores! {
    async fn an_account_lives_by_its_letters_from_sign_up_to_its_end(stage: Stage) {
        a_life(&stage).await;

        stage.has_no_other_letter();
    }
}

/// All of it. Afterwards somebody else has the newer address.
pub async fn a_life(stage: &Stage) {
    let id = verifies(stage).await;
    forgets(stage).await;
    let token = enters_by_letter(stage).await;
    moves(stage, &token).await;
    buys_a_phone(stage).await;
    is_banned_for_a_while(stage, &id).await;
    leaves(stage).await;
    assert_ne!(comes_back(stage).await, id);
}

fn letter<'a>(to: &'a str, subject: &'a str, says: &'a str) -> Expected<'a> {
    Expected {
        to,
        subject,
        says,
        page: None,
    }
}

impl<'a> Expected<'a> {
    fn leads_to(mut self, page: &'a str) -> Self {
        self.page = Some(page);
        self
    }
}

/// An access token that was good is refused on every node, soon.
async fn is_over(stage: &Stage, token: &str) {
    for node in stage.nodes() {
        eventually("the token is refused", async || {
            (node.me(token).await.status == 401).then_some(())
        })
        .await;
    }
}

async fn verifies(stage: &Stage) -> String {
    let account = json!({"email": OLD, "password": PASSWORD, "first_name": "Mia"});
    let sign_up = stage.asks(stage.first(), "/v1/signup", account);
    let told = sign_up.header("accept-language", "de").await.told(202);
    assert_eq!(told, json!({"status": "verification_required"}));

    let expected = letter(
        OLD,
        "Bestätigen Sie Ihre E-Mail-Adresse für Shop",
        "Guten Tag,",
    );
    let letter = stage.reads(expected.leads_to("verify-email")).await;
    stage.uses("a code", letter.code());
    let early = stage.signs_in(stage.second(), OLD, PASSWORD).await;
    early.refuses(403, "email_not_verified");
    let _ = follows(stage.second(), "/v1/verify-email", &letter.token())
        .await
        .expect(200);

    let signed_in = stage.signs_in(stage.first(), OLD, PASSWORD).await;
    let id = text(&signed_in.json(), "/user/id");
    assert_eq!(signed_in.json()["user"]["email_verified"], true);
    let token = stage.token_of(signed_in);
    assert_eq!(stage.second().me(&token).await.told(200)["id"], *id);
    id
}

/// Posts the token of a link, as a page does.
fn follows(node: &Server, path: &str, token: &str) -> Request {
    node.post(path).json(json!({"token": token}))
}

async fn forgets(stage: &Stage) {
    let before = stage.signs_in(stage.second(), OLD, PASSWORD).await;
    let before = stage.token_of(before);
    let whose = json!({"email": OLD});
    let forgot = stage.asks(stage.second(), "/v1/forgot-password", whose);
    let _ = forgot.await.expect(200);

    let subject = "Choose a new password for Shop";
    let link = letter(OLD, subject, "ends every session").leads_to("reset-password");
    let link = stage.reads(link).await;
    let new = json!({"token": link.token(), "new_password": SECOND_PASSWORD});
    let reset = stage.first().post("/v1/reset-password").json(new);
    let _ = reset.await.expect(200);

    let subject = "Your password for Shop was changed";
    stage.reads(letter(OLD, subject, "Hello Mia,")).await;
    for node in stage.nodes() {
        let refused = stage.signs_in(node, OLD, PASSWORD).await;
        refused.refuses(401, "invalid_credentials");
    }
    is_over(stage, &before).await;
    let after = stage.signs_in(stage.second(), OLD, SECOND_PASSWORD).await;
    stage.token_of(after);
}

async fn enters_by_letter(stage: &Stage) -> String {
    let whose = json!({"email": OLD});
    let send = stage.asks(stage.first(), "/v1/magic-link/send", whose);
    let _ = send.await.expect(202);

    let link = letter(OLD, "Your sign-in link for Shop", "without a password");
    let link = stage.reads(link.leads_to("magic-link")).await;
    let visit = json!({"token": link.token(), "device_id": LAPTOP});
    let enters = || stage.second().post("/v1/magic-link/verify");

    let token = stage.token_of(enters().json(visit.clone()).await);
    let again = enters().json(visit).await;
    again.refuses(400, "invalid_link");
    token
}

async fn moves(stage: &Stage, token: &str) {
    let change = json!({"email": NEW, "password": SECOND_PASSWORD});
    let change = stage
        .first()
        .post("/v1/me/change-email")
        .bearer(token)
        .json(change);
    let _ = change.await.expect(202);

    let subject = "Confirm your new email address for Shop";
    let link = letter(NEW, subject, "once you confirm it").leads_to("change-email");
    let link = stage.reads(link).await;
    let subject = "A new email address for Shop was asked for";
    stage.reads(letter(OLD, subject, "stops the change")).await;
    let confirm = follows(stage.second(), "/v1/me/change-email/confirm", &link.token());
    let _ = confirm.await.expect(200);

    let subject = "Your email address for Shop was changed";
    stage
        .reads(letter(OLD, subject, "cannot be used to sign in"))
        .await;
    let old = stage.signs_in(stage.first(), OLD, SECOND_PASSWORD).await;
    old.refuses(401, "invalid_credentials");
    is_over(stage, token).await;
}

async fn buys_a_phone(stage: &Stage) {
    let body = json!({"email": NEW, "password": SECOND_PASSWORD, "device_id": PHONE});
    let sign_in = stage.asks(stage.second(), "/v1/signin", body);
    let phone = stage.token_of(sign_in.header("user-agent", IPHONE).await);
    stage.uses("a device", PHONE);

    let subject = "New sign-in to your Shop account";
    let notice = stage.reads(letter(NEW, subject, "127.0.0.1")).await;
    assert!(
        notice.text.contains("Device: Safari on iOS"),
        "{}",
        notice.text
    );
    let again = stage.signs_in_on(PHONE, stage.first(), (NEW, SECOND_PASSWORD));
    stage.token_of(again.await);

    let both = json!({"current_password": SECOND_PASSWORD, "new_password": THIRD_PASSWORD});
    let change = stage.first().post("/v1/change-password").bearer(&phone);
    let _ = change.json(both).await.expect(200);
    let subject = "Your password for Shop was changed";
    stage.reads(letter(NEW, subject, "Hello Mia,")).await;
}

async fn is_banned_for_a_while(stage: &Stage, id: &str) {
    let before = stage.signs_in(stage.second(), NEW, THIRD_PASSWORD).await;
    let before = stage.token_of(before);
    let admin = |node: &Server, verb: &str| {
        let path = format!("/v1/admin/users/{id}/{verb}");
        node.post(&path).api_key(&stage.secret_key)
    };

    let ban = admin(stage.first(), "ban").json(json!({"reason": "A mistake"}));
    assert_has(&ban.await.told(200), json!({"banned": true}));

    let banned = stage.signs_in(stage.second(), NEW, THIRD_PASSWORD).await;
    banned.refuses(403, "account_disabled");
    is_over(stage, &before).await;
    assert_has(
        &admin(stage.second(), "unban").await.told(200),
        json!({"banned": false}),
    );
    let after = stage.signs_in(stage.first(), NEW, THIRD_PASSWORD).await;
    stage.token_of(after);
}

async fn leaves(stage: &Stage) {
    let last = stage.signs_in(stage.first(), NEW, THIRD_PASSWORD).await;
    let last = stage.token_of(last);
    let proof = json!({"password": THIRD_PASSWORD});
    let leave = stage.second().delete("/v1/me").bearer(&last).json(proof);
    let _ = leave.await.expect(204);

    let subject = "Your Shop account was deleted";
    stage
        .reads(letter(NEW, subject, "nobody can sign in"))
        .await;
    for node in stage.nodes() {
        let refused = stage.signs_in(node, NEW, THIRD_PASSWORD).await;
        refused.refuses(401, "invalid_credentials");
    }
    is_over(stage, &last).await;
}

/// The address is free again; this time its holder types the code.
async fn comes_back(stage: &Stage) -> String {
    let account = json!({"email": NEW, "password": PASSWORD});
    let sign_up = stage.asks(stage.second(), "/v1/signup", account);
    let _ = sign_up.await.expect(202);

    let subject = "Confirm your email address for Shop";
    let link = letter(NEW, subject, "Hello,").leads_to("verify-email");
    let code = stage.reads(link).await.code();
    stage.uses("a code", code.clone());
    let proof = json!({"email": NEW, "code": code});
    let verify = stage.asks(stage.first(), "/v1/verify-email", proof);
    let _ = verify.await.expect(200);

    let signed_in = stage.signs_in(stage.second(), NEW, PASSWORD).await;
    let told: Value = signed_in.json();
    stage.token_of(signed_in);
    text(&told, "/user/id")
}
