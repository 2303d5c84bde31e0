//! The whole journey through the client that openapi-generator makes of the document, in Rust.
//!
//!     journey BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER
//!
//! In development: the generator types an operation by the first of its successes, and what
//! production answers to a sign-up is the second. Prints a line for each step; ends with 1 and a
//! sentence at the first surprise.

use std::error::Error;
use std::fmt::Debug;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs, thread};

use authsome_client::apis::Error as Refusal;
use authsome_client::apis::authentication_api::{auth_sign_in, auth_sign_up, auth_verify_email};
use authsome_client::apis::configuration::Configuration;
use authsome_client::apis::me_api::{me_read, me_switch_org};
use authsome_client::apis::organizations_api as orgs;
use authsome_client::apis::permissions_api::permissions_check;
use authsome_client::apis::sessions_api::{sessions_list, sessions_revoke};
use authsome_client::models::*;
use reqwest::blocking::Client;
use reqwest::header::{HeaderMap, HeaderValue};

type Told<T> = Result<T, Box<dyn Error>>;

const PASSWORD: &str = "correct horse battery staple 42";

struct Site {
    base: String,
    key: String,
    mail: String,
}

struct Person {
    email: String,
    signed_in: SignedIn,
}

impl Site {
    /// Whoever has the sign-in page. The generator knows one key for all schemes of keys, and would
    /// send it as every one of them; so this one is a header of every request.
    fn page(&self) -> Told<Configuration> {
        let mut headers = HeaderMap::new();
        headers.insert("X-Publishable-Key", HeaderValue::from_str(&self.key)?);
        let client = Client::builder().default_headers(headers).build()?;
        let base_path = self.base.clone();
        Ok(Configuration {
            base_path,
            client,
            ..Configuration::new()
        })
    }

    fn bearer(&self, token: &str) -> Configuration {
        let (base_path, token) = (self.base.clone(), Some(token.to_owned()));
        Configuration {
            base_path,
            bearer_access_token: token,
            ..Configuration::new()
        }
    }

    /// The token of the link to `page` in a letter to `email`; letters come within seconds.
    fn token_to(&self, email: &str, page: &str) -> Told<String> {
        let (to, link) = (format!("To: {email}\r\n"), format!("/pages/{page}?token="));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            // The first letter makes the folder.
            for file in fs::read_dir(&self.mail).into_iter().flatten() {
                let file = file?.path();
                if !is_letter(&file) {
                    continue;
                }
                // Quoted-printable (RFC 2045 §6.7): soft line breaks, and the equals signs of the text.
                let letter = fs::read_to_string(&file)?
                    .replace("=\r\n", "")
                    .replace("=3D", "=");
                if let Some((_, rest)) = letter.split_once(&link).filter(|_| letter.contains(&to)) {
                    let is_of_token = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
                    return Ok(rest.chars().take_while(|c| is_of_token(*c)).collect());
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("no letter with a link to {page} came to {email}").into())
    }

    fn sign_in(&self, email: &str) -> Told<SignedIn> {
        let email = Some(Some(email.to_owned()));
        let account = SignIn {
            email,
            ..SignIn::new(PASSWORD.to_owned())
        };
        Ok(auth_sign_in(&self.page()?, account, None, None)?)
    }

    fn verified(&self, name: &str) -> Told<Person> {
        let nonce = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)?
            .as_nanos();
        let email = format!("{name}.{nonce}@example.org");
        let account = SignUp::new(email.clone(), PASSWORD.to_owned());
        let signed_up = auth_sign_up(&self.page()?, account, None, None)?;
        must(
            !signed_up.user.email_verified,
            "the address was proven by nothing",
        )?;
        let token = Some(Some(self.token_to(&email, "verify-email")?));
        let letter = VerifyEmail {
            token,
            ..VerifyEmail::new()
        };
        let outcome = auth_verify_email(&self.page()?, letter, None)?;
        must(
            outcome.status == OutcomeStatus::Verified,
            "the address was not verified",
        )?;
        let signed_in = self.sign_in(&email)?;
        must(signed_in.user.email_verified, "the address is not verified")?;
        Ok(Person { email, signed_in })
    }
}

fn is_letter(file: &Path) -> bool {
    file.extension().is_some_and(|it| it == "eml")
}

fn must(claim: bool, sentence: &str) -> Told<()> {
    if claim { Ok(()) } else { Err(sentence.into()) }
}

/// An answer that must be a problem with this status.
fn refused<T: Debug, E: Debug>(answer: Result<T, Refusal<E>>, status: u16) -> Told<()> {
    match answer {
        Err(Refusal::ResponseError(it)) if it.status.as_u16() == status => {
            let problem: Problem = serde_json::from_str(&it.content)?;
            must(
                i32::from(status) == problem.status,
                "another status in the problem",
            )
        }
        other => Err(format!("expected {status}, got {other:?}").into()),
    }
}

/// `guest` becomes a member of `org`, by the letter that invites.
fn joins(site: &Site, org: &str, owner: &Person, guest: &Person) -> Told<Member> {
    let role = Some("member".to_owned());
    let invitation = NewInvitationBody {
        role,
        ..NewInvitationBody::new(guest.email.clone())
    };
    let as_owner = site.bearer(&owner.signed_in.access_token);
    let sent = orgs::orgs_invitations_create(&as_owner, org, invitation, None, None, None)?;
    must(
        sent.status == InvitationState::Pending,
        "the invitation is over",
    )?;
    let token = site.token_to(&guest.email, "invitation")?;
    let offer = orgs::orgs_invitations_lookup(&site.page()?, &token, None)?;
    must(
        offer.organization.name == "Acme",
        "an offer of another organization",
    )?;
    let as_guest = site.bearer(&guest.signed_in.access_token);
    let member = orgs::orgs_invitations_accept(&as_guest, AcceptInvitation::new(token), None, None)?;
    must(member.org_id == org, "joined something else")?;
    Ok(member)
}

fn switch(caller: &Configuration, org: &str) -> Told<SignedIn> {
    let switched = me_switch_org(caller, SwitchOrg::new(Some(org.to_owned())), None, None)?;
    must(
        switched.org_id.as_deref() == Some(org),
        "switched to something else",
    )?;
    Ok(switched)
}

fn checks(caller: &Configuration, org: &str) -> Told<()> {
    let asked = ["read", "remove"].map(|action| Check {
        org_id: Some(org.to_owned()),
        ..Check::new(action.to_owned(), "members".to_owned())
    });
    let answered = permissions_check(caller, Checks::new(asked.into()), None, None)?.results;
    let allowed: Vec<_> = answered.iter().map(|it| it.allowed).collect();
    must(allowed == [true, false], "members read, and remove nobody")?;
    let page = orgs::orgs_members_list(caller, org, None, None, None, None)?;
    must(page.members.len() == 2, "there are two members")
}

fn journey(site: &Site) -> Told<()> {
    let (owner, guest) = (site.verified("owner")?, site.verified("guest")?);
    println!("signed up and verified");

    let as_owner = site.bearer(&owner.signed_in.access_token);
    let org = NewOrganizationBody::new("Acme".to_owned());
    let org = orgs::orgs_create(&as_owner, org, None, None, None)?.id;
    let member = joins(site, &org, &owner, &guest)?;
    println!("invited and accepted");

    let switched = switch(&site.bearer(&guest.signed_in.access_token), &org)?;
    let as_guest = site.bearer(&switched.access_token);
    checks(&as_guest, &org)?;
    println!("switched and checked");

    let other = site.bearer(&site.sign_in(&guest.email)?.access_token);
    let sessions = sessions_list(&other, None, None, None, None)?.sessions;
    let mine = sessions.iter().find(|it| it.id == switched.session_id);
    let mine = mine.ok_or("the session is not listed")?;
    sessions_revoke(&other, &mine.id, None, None)?;
    refused(me_read(&as_guest, None, None), 401)?;

    let back = site.bearer(&switch(&other, &org)?.access_token);
    orgs::orgs_members_remove(&as_owner, &org, &member.id, None, None)?;
    refused(
        orgs::orgs_members_list(&back, &org, None, None, None, None),
        401,
    )?;
    println!("revoked and refused");
    Ok(())
}

fn site() -> Told<Site> {
    let [base, file, mail] = env::args()
        .skip(1)
        .collect::<Vec<_>>()
        .try_into()
        .map_err(|_| "usage: journey BASE BOOTSTRAP_JSON_FILE MAIL_FOLDER")?;
    let told: serde_json::Value = serde_json::from_str(&fs::read_to_string(file)?)?;
    let key = told["publishable_key"]
        .as_str()
        .ok_or("no publishable key")?
        .to_owned();
    Ok(Site {
        base: base.trim_end_matches('/').to_owned(),
        key,
        mail,
    })
}

fn main() -> ExitCode {
    match site().and_then(|site| journey(&site)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("surprise: {why}");
            ExitCode::FAILURE
        }
    }
}
