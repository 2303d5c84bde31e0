//! `authsome keys`: what a running server makes of it.

use serde_json::{Value, json};

use super::server::{Home, PASSWORD, Server, eventually, key_of, text};
use crate::support::client::Asks;
use crate::support::stores::on_both_stores;

const EMAIL: &str = "mia@example.org";

/// The keys of an environment, as verifiers see them.
async fn published(server: &Server, key: &str) -> Vec<String> {
    let set = server
        .get("/.well-known/jwks.json")
        .header("x-publishable-key", key)
        .await
        .told(200);
    let keys = set["keys"].as_array().expect("a key set").iter();
    keys.map(|key| text(key, "/kid")).collect()
}

/// A token that is signed with another key than `old`, by the first sign-in that gets one.
async fn signed_anew(server: &Server, key: &str, old: &str) -> Value {
    eventually("new sign-ins use the new key", async || {
        let tokens = server.sign_in(key, EMAIL, PASSWORD).await;
        (key_of(&text(&tokens, "/access_token")) != old).then_some(tokens)
    })
    .await
}

on_both_stores! {
    async fn rotated_keys_sign_within_seconds_and_old_tokens_stay_good(home: Home) {
        // Who waits for the new key signs in more often than people do.
        let home = home.with("LIMITS__SIGNIN", "1000/1m");
        let told = home.bootstrap(&[]);
        let key = text(&told, "/publishable_key");
        let server = home.serve().await;
        let before = text(&server.sign_up(&key, EMAIL).await, "/access_token");
        let old = key_of(&before);

        let ran = home.run(&["keys", "rotate", "--now"]);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        let tokens = signed_anew(&server, &key, &old).await;
        let after = text(&tokens, "/access_token");
        let new = key_of(&after);
        let told = ran.out.lines().any(|line| line.contains("development") && line.contains(&new));
        assert!(told, "{new} is not in {}", ran.out);
        assert_eq!(server.me(&before).await.status, 200);
        assert_eq!(server.me(&after).await.status, 200);
        let published = published(&server, &key).await;
        assert!(published.contains(&old) && published.contains(&new), "{published:?}");
    }

    async fn without_haste_a_new_key_is_published_before_it_signs(home: Home) {
        let told = home.bootstrap(&[]);
        let key = text(&told, "/publishable_key");
        let server = home.serve().await;
        let old = key_of(&text(&server.sign_up(&key, EMAIL).await, "/access_token"));

        let ran = home.run(&["keys", "rotate", "--app", "default", "--env", "development"]);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        let lines: Vec<_> = ran.out.lines().filter(|line| line.contains("asky_")).collect();
        assert_eq!(lines.len(), 1, "only the environment asked for: {}", ran.out);
        let both = eventually("the new key is published", async || {
            let published = published(&server, &key).await;
            (published.len() == 2).then_some(published)
        })
        .await;
        assert!(both.contains(&old), "{both:?}");
        let tokens = server.sign_in(&key, EMAIL, PASSWORD).await;
        assert_eq!(key_of(&text(&tokens, "/access_token")), old);
    }

    async fn tokens_of_a_withdrawn_key_are_refused_and_sessions_go_on(home: Home) {
        let told = home.bootstrap(&[]);
        let key = text(&told, "/publishable_key");
        let server = home.serve().await;
        let tokens = server.sign_up(&key, EMAIL).await;
        let leaked = text(&tokens, "/access_token");
        let old = key_of(&leaked);
        server.me(&leaked).await.told(200);

        let ran = home.run(&["keys", "withdraw", &old]);

        assert_eq!(ran.code, Some(0), "{ran:?}");
        eventually("tokens of the withdrawn key are refused", async || {
            (server.me(&leaked).await.status == 401).then_some(())
        })
        .await;
        let refresh = json!({"refresh_token": text(&tokens, "/refresh_token")});
        let fresh = server.post_at(&key, "/v1/refresh", refresh).await.told(200);
        let fresh = text(&fresh, "/access_token");
        assert_ne!(key_of(&fresh), old);
        assert_eq!(server.me(&fresh).await.status, 200);
        assert!(!published(&server, &key).await.contains(&old));
    }
}

#[test]
fn a_key_or_an_app_that_is_not_there_is_said_to_be_so() {
    let home = Home::embedded();
    home.bootstrap(&[]);

    let nowhere = home.run(&["keys", "rotate", "--app", "nowhere"]);
    let nothing = home.run(&["keys", "withdraw", "asky_01h2xcejqtf2nbrexx3vqjhp41"]);

    assert_eq!((nowhere.code, nothing.code), (Some(1), Some(1)));
    assert!(
        nowhere.err.contains("there is no app nowhere"),
        "{}",
        nowhere.err
    );
    assert!(
        nothing.err.contains("there is no key asky_"),
        "{}",
        nothing.err
    );
}
