//! Branding: how an app and its organisations look, in letters and on pages.

use std::future::IntoFuture;

use authsome::branding::BrandingConfig;
use authsome::events::Name;
use authsome::kernel::id::WebhookId;
use authsome::kernel::text::FontFamily;
use authsome::notifications::Message;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

use crate::support::acme::Acme;
use crate::support::app::{Door, TestApp, eventually};
use crate::support::client::{Asks, Request, assert_has};
use crate::support::invitations::looks_up;
use crate::support::orgs::Org;
use crate::support::stores::on_both_stores;

const MIA: &str = "mia@example.org";
const CSS: &str =
    "/* ours */.button{border-radius:99px!important}@media(max-width:600px){.letter{padding:8px}}";
const NORMAL: &str = ".button { border-radius: 99px !important }\n\
    @media (max-width: 600px) {\n.letter { padding: 8px }\n}";

fn path(door: &Door) -> String {
    format!("/v1/admin/apps/{}/branding", door.app_id)
}

fn sets(asks: &impl Asks, path: &str, body: Value) -> Request {
    asks.request("PUT", path).json(body)
}

fn whole() -> Value {
    json!({
        "logo_url": "https://acme.example/logo.png", "primary_color": "#112233",
        "background_color": "#0F172A", "accent_color": "#ffee00",
        "font_family": "Inter, \"Helvetica Neue\", Sans-Serif", "custom_css": CSS,
        "company_name": "Acme Research", "tagline": "Since 1940 at acme.example",
    })
}

/// The same as it is kept and shown.
fn kept() -> Value {
    let mut kept = whole();
    kept["background_color"] = json!("#0f172a");
    kept["font_family"] = json!("'Inter', 'Helvetica Neue', sans-serif");
    kept["custom_css"] = json!(NORMAL);
    kept
}

impl TestApp {
    /// Has the app of development look like this.
    async fn looks(&self, body: Value) {
        let path = path(&self.own.development);
        sets(&self.key(), &path, body).await.told(200);
    }

    async fn shown(&self, door: &Door) -> Value {
        let config = self.visitor(door).get("/v1/client-config").await;
        config.told(200)["branding"].clone()
    }
}

impl Acme {
    /// Has the organisation look like this.
    async fn looks(&self, body: Value) {
        sets(&self.owner, &self.at("/branding"), body)
            .await
            .told(200);
    }
}

on_both_stores! {
    async fn what_is_set_counts_and_the_rest_is_the_products_own(app: TestApp) {
        let door = &app.own.development;
        let own = json!({
            "primary_color": "#1d4ed8", "background_color": "#f3f4f6", "accent_color": "#1d4ed8",
            "font_family": FontFamily::default(), "company_name": "default",
        });
        let before = app.key().get(&path(door)).await.told(200);
        assert_eq!(before, json!({"app_id": door.app_id, "set": {}, "effective": own}));
        assert_eq!(app.shown(door).await, own);

        let set = sets(&app.key(), &path(door), whole()).await.told(200);

        assert_eq!(set, json!({"app_id": door.app_id, "set": kept(), "effective": kept()}));
        assert_eq!(app.key().get(&path(door)).await.told(200), set);
        assert_eq!(app.shown(door).await, kept());
        assert_eq!(app.shown(&app.own.production).await, kept(), "of every environment");
        let again = sets(&app.key(), &path(door), set["set"].clone()).await.told(200);
        assert_eq!(again, set, "what is shown can be set");
        let less = json!({"accent_color": "#445566"});
        let replaced = sets(&app.key(), &path(door), less.clone()).await.told(200);
        assert_eq!(replaced["set"], less);
        for _ in 0..2 {
            let _ = app.key().delete(&path(door)).await.expect(204);
        }
        assert_eq!(app.key().get(&path(door)).await.told(200), before);
        let told = app.events(door, Name::BrandingUpdated).await;
        assert_eq!(told.len(), 4);
        assert!(app.of_app::<BrandingConfig>(door).await.is_empty());
    }

    async fn the_logo_of_an_app_is_shown_until_another_is_set(app: TestApp) {
        let door = &app.own.development;
        let described = format!("/v1/admin/apps/{}", door.app_id);
        let logo = json!({"logo": "https://acme.example/app.png"});
        app.key().patch(&described).json(logo).await.told(200);
        assert_eq!(app.shown(door).await["logo_url"], "https://acme.example/app.png");

        app.looks(json!({"logo_url": "https://acme.example/brand.png"})).await;

        assert_eq!(app.shown(door).await["logo_url"], "https://acme.example/brand.png");
    }

    async fn an_organisation_looks_like_its_app_but_for_what_it_sets(acme: Acme) {
        let (app, at) = (&acme.app, acme.at("/branding"));
        app.looks(whole()).await;
        let inherited = acme.owner.get(&at).await.told(200);
        assert_eq!(inherited["set"], json!({}));
        assert_eq!(inherited["org_id"], acme.org.id);
        let own_name = inherited["effective"]["company_name"].clone();
        assert_ne!(own_name, "Acme Research", "it has a name of its own");
        assert_has(&inherited["effective"], json!({
            "logo_url": "https://acme.example/logo.png", "accent_color": "#ffee00",
            "custom_css": NORMAL, "tagline": "Since 1940 at acme.example",
        }));

        let body = json!({"accent_color": "#445566", "tagline": "Fair winds"});
        let set = sets(&acme.owner, &at, body.clone()).await.told(200);

        assert_eq!(set["set"], body);
        assert_has(&set["effective"], json!({
            "logo_url": "https://acme.example/logo.png", "accent_color": "#445566",
            "primary_color": "#112233", "custom_css": NORMAL, "tagline": "Fair winds",
        }));
        let logo = json!({"logo": "https://north.example/own.png"});
        acme.owner.patch(&acme.at("")).json(logo).await.told(200);
        let shown = acme.owner.get(&at).await.told(200);
        assert_eq!(shown["effective"]["logo_url"], "https://north.example/own.png");
        let other = app.org("other", &acme.owner).await;
        let of_other = acme.owner.get(&other.path("/branding")).await.told(200);
        assert_has(&of_other["effective"], json!({"accent_color": "#ffee00"}));
        assert_eq!(app.shown(&app.own.development).await["accent_color"], "#ffee00");
        let _ = acme.owner.delete(&at).await.expect(204);
        assert_eq!(acme.owner.get(&at).await.told(200)["set"], json!({}));
        let told = app.events(&app.own.development, Name::BrandingUpdated).await;
        let within: Vec<_> = told.iter().map(|event| event.org_id.is_some()).collect();
        assert_eq!(within.iter().filter(|it| **it).count(), 2);
    }

    async fn a_letter_wears_the_look_of_its_app(app: TestApp) {
        app.person("ann@example.org").await;
        let plain = app.letter_to("ann@example.org").await;
        assert!(plain.html.contains("background:#1d4ed8;color:#ffffff"), "{}", plain.html);
        assert!(!plain.html.contains("<style>"), "{}", plain.html);
        app.looks(whole()).await;

        app.person(MIA).await;

        let letter = app.letter_to(MIA).await;
        assert_eq!(letter.subject, "Confirm your email address for Acme Research");
        for part in [
            "<img src=\"https://acme.example/logo.png\" alt=\"Acme Research\"",
            "border-top:4px solid #112233",
            "background:#0f172a;color:#ffffff;font:16px/1.5 'Inter', 'Helvetica Neue', sans-serif\"",
            "<a class=\"button\"",
            "background:#ffee00;color:#000000",
            "color:#000000;word-break",
            ">Since 1940 at acme.example</p>",
            &format!("<style>\n{NORMAL}\n</style>"),
        ] {
            assert!(letter.html.contains(part), "{part}: {}", letter.html);
        }
        assert!(letter.text.contains("Acme Research\nSince 1940 at acme.example\n"), "{}", letter.text);
        assert!(!letter.text.contains("button") && !letter.text.contains('{'), "{}", letter.text);
        assert_eq!(letter.links().len(), plain.links().len());
    }

    /// And whatever it calls itself, the sentences name the app, and nothing but the link leads anywhere.
    async fn an_invitation_wears_the_look_of_its_organisation_above_that_of_the_app(acme: Acme) {
        acme.app.looks(whole()).await;
        acme.looks(json!({
            "logo_url": "https://north.example/logo.png", "accent_color": "#225588",
            "company_name": "Northwind.example", "tagline": "Win at https://evil.example/",
            "custom_css": ".text{font-size:0}",
        })).await;

        acme.invited(MIA, &["member"]).await;

        let letter = acme.app.invitation_to(MIA, 1).await;
        for part in [
            "<img src=\"https://north.example/logo.png\" alt=\"Northwind. example\"",
            "background:#225588;color:#ffffff",
            "color:#225588;word-break",
            "border-top:4px solid #112233",
            "background:#0f172a;color:#ffffff",
            &format!("<style>\n{NORMAL}\n</style>"),
            "on Acme Research.",
        ] {
            assert!(letter.html.contains(part), "{part}: {}", letter.html);
        }
        assert!(!letter.html.contains("font-size: 0"), "what protects its reader stays: {}", letter.html);
        assert!(letter.subject.ends_with("on Acme Research"), "{}", letter.subject);
        for part in [&letter.html, &letter.text] {
            assert!(part.contains("evil. example") && !part.contains("evil.example"), "{part}");
        }
        acme.app.queues(MIA, Message::PasswordChanged).await;
        eventually(async || {
            let letters = acme.app.letters_to(MIA);
            letters.iter().any(|it| it.html.contains("alt=\"Acme Research\""))
        }).await;
    }

    async fn whoever_is_invited_is_told_the_look_with_the_offer(acme: Acme) {
        acme.app.looks(json!({"primary_color": "#112233", "accent_color": "#ffee00"})).await;
        acme.looks(json!({"accent_color": "#225588"})).await;
        let offer = acme.invited(MIA, &["member"]).await;

        let told = looks_up(acme.app.client(), &acme.token_of(&offer)).await.told(200);

        assert_has(&told["branding"], json!({"primary_color": "#112233", "accent_color": "#225588"}));
        let own = acme.owner.get(&acme.at("/branding")).await.told(200);
        assert_eq!(told["branding"], own["effective"]);
    }

    async fn another_node_shows_it_within_a_second_and_other_apps_do_not(app: TestApp) {
        let node = app.another_node(&[]).await;
        let shop = app.founds("Shop").await;
        let door = &app.own.development;
        let there = async || {
            let config = node.client().get("/v1/client-config").at(door).await.told(200);
            config["branding"]["accent_color"].clone()
        };
        assert_eq!(there().await, "#1d4ed8");

        app.looks(json!({"accent_color": "#445566"})).await;

        let set = std::time::Instant::now();
        eventually(async || there().await == "#445566").await;
        assert!(set.elapsed() < std::time::Duration::from_millis(1_500), "{:?}", set.elapsed());
        assert_eq!(app.shown(&shop.development).await["accent_color"], "#1d4ed8");
    }

    async fn administrators_of_the_app_set_its_look(app: TestApp) {
        let (mia, admin) = (app.person(MIA).await, app.admin().await);
        let shop = app.founds("Shop").await;
        let (own, other) = (path(&app.own.development), path(&shop.development));
        let body = || json!({"accent_color": "#445566"});

        mia.get(&own).await.refuses(403, "forbidden");
        sets(&mia, &own, body()).await.refuses(403, "forbidden");
        mia.delete(&own).await.refuses(403, "forbidden");
        admin.get(&other).await.refuses(404, "not_found");
        sets(&admin, &other, body()).await.refuses(404, "not_found");
        admin.delete(&other).await.refuses(404, "not_found");

        sets(&admin, &own, body()).await.told(200);
        let operator = app.operator().await;
        let elsewhere = format!("{other}{}", shop.development.query());
        sets(&operator, &elsewhere, body()).await.told(200);
        assert_eq!(app.shown(&shop.development).await["accent_color"], "#445566");
    }

    async fn members_see_the_look_of_their_organisation_and_those_who_may_change_it_set_it(acme: Acme) {
        let (app, at) = (&acme.app, acme.at("/branding"));
        let body = || json!({"accent_color": "#445566"});
        for role in ["viewer", "member"] {
            let colleague = acme.joined(&format!("{role}@example.org"), &[role]).await.person;
            colleague.get(&at).await.told(200);
            sets(&colleague, &at, body()).await.refuses(403, "forbidden");
            colleague.delete(&at).await.refuses(403, "forbidden");
        }
        let admin = acme.joined("admin@example.org", &["admin"]).await.person;
        sets(&admin, &at, body()).await.told(200);
        sets(&app.key(), &at, body()).await.told(200);

        let stranger = app.person("eve@example.org").await;
        let shop = app.founds("Shop").await;
        let neighbour = app.visitor(&shop.development).becomes("nia@example.org", json!({})).await;
        let there = app.machine(&shop.development);
        for outsider in [&stranger, &neighbour] {
            outsider.get(&at).await.refuses(404, "not_found");
            sets(outsider, &at, body()).await.refuses(404, "not_found");
            outsider.delete(&at).await.refuses(404, "not_found");
        }
        for machine in [&there, &app.machine(&app.own.production)] {
            machine.get(&at).await.refuses(404, "not_found");
            sets(machine, &at, body()).await.refuses(404, "not_found");
            machine.delete(&at).await.refuses(404, "not_found");
        }
        assert_eq!(acme.owner.get(&at).await.told(200)["set"], body());
    }

    async fn what_could_be_more_than_a_look_is_refused(acme: Acme) {
        let (app, long) = (&acme.app, "x".repeat(101));
        let kilobytes = "a{color:red}".repeat(1_400);
        for (field, value, says) in [
            ("logo_url", "javascript:alert(1)", "https"),
            ("logo_url", "data:image/svg+xml,<svg onload=alert(1)>", "https"),
            ("logo_url", "http://localhost/logo.png", "https"),
            ("logo_url", "//evil.example/logo.png", "https"),
            ("logo_url", "https://u:p@x.example/", "https"),
            ("logo_url", "<script>alert(1)</script>", "https"),
            ("primary_color", "red", "#1a73e8"),
            ("background_color", "#fff", "#1a73e8"),
            ("accent_color", "#112233;}body{display:none", "#1a73e8"),
            ("font_family", "Inter;color:red", "fonts"),
            ("font_family", "\"><script>alert(1)</script>", "fonts"),
            ("font_family", "url(x)", "fonts"),
            ("company_name", "Acme\r\nBcc: v@corp.example", "one line"),
            ("company_name", &long, "1 to 100"),
            ("tagline", "a\u{202e}b", "one line"),
            ("tagline", "", "1 to 200"),
            ("custom_css", "a{color:red}\n@import url(x);", "line 2: `@import`"),
            ("custom_css", "a{background:url(https://evil.example/?x)}", "`url()`"),
            ("custom_css", "</style><script>alert(1)</script>", "line 1: `<`"),
            ("custom_css", &kilobytes, "16 KiB"),
        ] {
            let body = || json!({field: value});
            let of_app = sets(&app.key(), &path(&app.own.development), body()).await;
            let of_org = sets(&acme.owner, &acme.at("/branding"), body()).await;
            for reply in [of_app, of_org] {
                let problem = reply.told(400);
                let fault = &problem["errors"][0];
                assert_eq!(fault["pointer"], format!("/{field}"), "{problem}");
                assert_eq!(fault["type"], format!("invalid_{field}"), "{problem}");
                assert!(fault["detail"].as_str().unwrap_or("").contains(says), "{problem}");
            }
        }
        let bad = json!({"accent_color": "red", "custom_css": "a{", "colour": "#112233"});
        let problem = sets(&app.key(), &path(&app.own.development), bad).await.told(400);
        assert_eq!(problem["errors"].as_array().map(Vec::len), Some(3), "{problem}");
        assert!(app.of_app::<BrandingConfig>(&app.own.development).await.is_empty());
    }

    async fn of_twenty_first_times_at_once_one_document_is_left(acme: Acme) {
        let app = &acme.app;
        let (key, at_app, at_org) = (app.key(), path(&app.own.development), acme.at("/branding"));
        let body = || json!({"accent_color": "#445566"});
        let ask = async |number: usize| {
            if number.is_multiple_of(2) {
                return sets(&key, &at_app, body()).await;
            }
            sets(&acme.owner, &at_org, body()).await
        };

        for reply in join_all((0..40).map(ask)).await {
            reply.told(200);
        }

        let stored = app.of_app::<BrandingConfig>(&app.own.development).await;
        assert_eq!(stored.len(), 2, "{stored:?}");
        let told = app.events(&app.own.development, Name::BrandingUpdated).await;
        assert_eq!(told.len(), 40);
    }

    async fn the_look_of_an_organisation_goes_with_it(acme: Acme) {
        let app = &acme.app;
        app.looks(json!({"accent_color": "#112233"})).await;
        acme.looks(json!({"accent_color": "#445566"})).await;
        let other: Org = app.org("other", &acme.owner).await;
        sets(&acme.owner, &other.path("/branding"), json!({"tagline": "Stays"})).await.told(200);

        let _ = acme.owner.delete(&acme.at("")).await.expect(204);

        let stored = app.of_app::<BrandingConfig>(&app.own.development).await;
        assert_eq!(stored.len(), 2, "of the app, and of the other: {stored:?}");
        assert!(stored.iter().all(|it| it.org_id.is_none_or(|org| org.to_string() == other.id)));
    }

    async fn an_organisation_that_is_deleted_meanwhile_keeps_no_look(acme: Acme) {
        let app = &acme.app;
        for round in 0..20 {
            let org = app.org(&format!("org-{round}"), &acme.owner).await;
            let body = json!({"accent_color": "#445566"});
            let setting = sets(&acme.owner, &org.path("/branding"), body).into_future();

            let deleting = acme.owner.delete(&org.path("")).into_future();
            let (set, deleted) = join(setting, deleting).await;

            assert_eq!(deleted.status, 204);
            assert!(["200", "404 not_found"].contains(&&*set.outcome()), "{}", set.outcome());
        }
        assert!(app.of_app::<BrandingConfig>(&app.own.development).await.is_empty());
    }

    /// A letter that the organisation's owners get without being asked for wears it too.
    async fn a_letter_about_a_webhook_of_an_organisation_wears_its_look(acme: Acme) {
        acme.looks(json!({"primary_color": "#225588", "company_name": "Northwind"})).await;
        let app = &acme.app;
        let disabled = |org_id| Message::WebhookDisabled {
            webhook_id: WebhookId::new(app.clock.now(), &app.foundation().world.entropy),
            org_id,
            host: "hooks.example.com".to_owned(),
            is_gone: true,
        };

        app.queues("orla@example.org", disabled(acme.org.id.parse().ok())).await;
        app.queues(MIA, disabled(None)).await;

        let letter = app.letter_to("orla@example.org").await;
        assert!(letter.html.contains("border-top:4px solid #225588"), "{}", letter.html);
        assert!(letter.html.contains(">Northwind</p>"), "{}", letter.html);
        let other = app.letter_to(MIA).await;
        assert!(!other.html.contains("#225588") && !other.html.contains("Northwind"));
    }
}
