//! The command line: its grammar and its help.
//!
//! `authsome` alone serves, so that a fresh checkout needs no argument. `--config` goes before or
//! after the command. Arguments are parsed here into the vocabulary of the kernel; a command that
//! needs the application gets them ready to use.
//! Exit codes: 0 done, 1 not done, 2 the command line or the configuration cannot be used.
//! Not here: settings ([`crate::config`]), which have no flags of their own.

mod backup;
mod doctor;
mod healthcheck;
mod keys;
mod log;
mod mail;
mod policy;
mod run;
mod serve;
mod transfer;

use std::{fs, io::Read, path::PathBuf};

use anyhow::Context;
use clap::{Args, Parser, Subcommand, builder::PossibleValuesParser};

pub use run::run;

use crate::{
    kernel::{
        id::SigningKeyId,
        language::Language,
        secret::{ExposeSecret, SecretString},
        text::{Email, Label, Slug},
    },
    mail::Templates,
};

const FIRST_STEPS: &str = "\
First steps:
  authsome                          start; the first start prints keys and curl lines
  authsome bootstrap --json         make what a first start makes, without serving
  curl http://127.0.0.1:8080/readyz ask whether it is ready
  authsome doctor                   look at everything, and say what to do

Settings, later ones win:
  1. built-in defaults              `authsome config` lists every setting
  2. authsome.toml in the working directory, or the file of --config
  3. environment variables          AUTHSOME_<SECTION>__<KEY>
     for secrets also               AUTHSOME_<SECTION>__<KEY>_FILE, the name of a file
  A name that is no setting stops the start and names the nearest one.

Examples:
  AUTHSOME_SERVER__BIND=0.0.0.0:8080 AUTHSOME_SERVER__PUBLIC_URL=https://auth.example.com authsome
  AUTHSOME_STORE__URL='mongodb://127.0.0.1:27017/authsome?replicaSet=rs0' authsome migrate
  authsome bootstrap --app Shop --admin-email mia@example.org --admin-password-file ./password
  authsome keys rotate --app shop --env production
  authsome mail preview --template verify_email --lang de
  authsome import users.ndjson --app shop --dry-run
  authsome backup shop.backup
  AUTHSOME_STORE__URL='mongodb://127.0.0.1:27017/authsome?replicaSet=rs0' authsome restore shop.backup

Without AUTHSOME_STORE__URL everything is kept in authsome-data/ below the working directory,
the secrets too: a backup needs both, `authsome backup` and the files encryption.key, refresh.secret
and pepper.";

/// A multi-tenant identity server in one binary.
///
/// Users sign up and in over HTTP; your backends verify their tokens offline.
#[derive(Debug, Parser)]
#[command(name = "authsome", version, after_help = FIRST_STEPS)]
pub struct Cli {
    /// Read settings from this file instead of authsome.toml
    #[arg(long, global = true, value_name = "PATH")]
    pub config: Option<PathBuf>,

    #[command(subcommand)]
    command: Option<Command>,
}

impl Cli {
    /// What was asked for; to serve, where nothing was.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Serve)
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve requests until SIGTERM or SIGINT (what happens without a command)
    Serve,
    /// Make the platform app, its operator and an app, or find them; safe to repeat
    Bootstrap(Bootstrap),
    /// Bring the store's collections and indexes up to date, and stop
    Migrate,
    /// Print the description of the HTTP API as JSON
    Openapi,
    /// Ask a running server whether it is ready; exit 0 when it is, else 1
    Healthcheck(Healthcheck),
    /// Look at everything an installation needs, and say what is wrong and what to do; exit 1 if so
    Doctor(DoctorAsked),
    /// Look after signing keys
    #[command(subcommand)]
    Keys(Keys),
    /// Look after letters
    #[command(subcommand)]
    Mail(Mail),
    /// Look after the access policy
    #[command(subcommand)]
    Policy(Policy),
    /// Bring users in from a file, with their password hashes; safe to repeat
    Import(Import),
    /// Take the users of an app along, in the shape that an import takes
    Export(Export),
    /// Take everything along in one file, of one instant, while servers go on
    Backup(BackUp),
    /// Bring a backup back into an empty store of either kind; killed and run again, it goes on
    Restore(Restore),
    /// Print every setting with its default as a Markdown table
    Config(ConfigAsked),
}

#[derive(Debug, Args)]
pub struct Bootstrap {
    /// Print one JSON object instead of text; secrets only when they were just made
    #[arg(long)]
    pub json: bool,

    /// The app to make or find
    #[arg(long, value_name = "NAME", value_parser = label)]
    pub app: Option<Label>,

    /// The operator's email address
    #[arg(long, value_name = "EMAIL", value_parser = email)]
    pub admin_email: Option<Email>,

    /// The operator's password; `-` reads it from standard input. Other users of this machine see
    /// arguments: prefer `-` or --admin-password-file. Without either, one is made and printed
    #[arg(
        long,
        value_name = "PASSWORD",
        value_parser = secret,
        allow_hyphen_values = true
    )]
    admin_password: Option<SecretString>,

    /// A file that holds the operator's password
    #[arg(long, value_name = "PATH", conflicts_with = "admin_password")]
    admin_password_file: Option<PathBuf>,
}

impl Bootstrap {
    /// The operator's password from wherever it was said to be, as given save for one line break
    /// at its end; `None` when nothing was said. Errors name the place, never the password.
    pub fn admin_password(&self, stdin: &mut impl Read) -> anyhow::Result<Option<SecretString>> {
        if let Some(path) = &self.admin_password_file {
            let text = fs::read_to_string(path)
                .with_context(|| format!("the password file {} is not readable", path.display()))?;
            return Ok(Some(line_of(&text)));
        }
        match &self.admin_password {
            Some(given) if given.expose_secret() == "-" => {
                let mut text = String::new();
                stdin
                    .read_to_string(&mut text)
                    .context("standard input is not readable text")?;
                Ok(Some(line_of(&text)))
            }
            given => Ok(given.clone()),
        }
    }
}

#[derive(Debug, Args)]
pub struct Healthcheck {
    /// What to ask, an http URL [default: /readyz where `server.bind` listens]
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
}

#[derive(Debug, Args)]
pub struct ConfigAsked {
    /// Print a configuration file in which all of them are comments
    #[arg(long)]
    pub toml: bool,
}

#[derive(Debug, Args)]
pub struct DoctorAsked {
    /// Print one JSON object instead of lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Keys {
    /// Make new signing keys; old ones verify until the last token they signed ends
    Rotate(Rotate),
    /// Replace a key that others may have; all its tokens are refused at once, sessions go on
    Withdraw(Withdraw),
    /// Seal what is encrypted anew, under the first encryption key, so that the others can go
    Reseal,
    /// Take the pepper in use for the right one, where the one before is lost for good: every password
    /// made with it is lost too, and is set anew by letter
    AcceptPepper,
}

#[derive(Debug, Args)]
pub struct Rotate {
    /// Only in this app
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    pub app: Option<Slug>,

    /// Only in this environment of the app
    #[arg(long, value_name = "SLUG", value_parser = slug, requires = "app")]
    pub env: Option<Slug>,

    /// Sign with the new keys at once, without publishing them ahead; after a leak withdraw the key
    #[arg(long)]
    pub now: bool,
}

#[derive(Debug, Args)]
pub struct Withdraw {
    /// The key, as the `kid` of tokens and of the key set names it
    #[arg(value_name = "KEY")]
    pub key: SigningKeyId,
}

#[derive(Debug, Subcommand)]
pub enum Mail {
    /// Show the letters as people get them, from samples; nothing is sent
    Preview(Preview),
}

#[derive(Debug, Args)]
pub struct Preview {
    /// Only this letter
    #[arg(long, value_name = "NAME", value_parser = template_names())]
    pub template: Option<String>,

    /// Only in this language
    #[arg(long, value_name = "en|de", value_parser = language)]
    pub lang: Option<Language>,

    /// Write .txt, .html and .eml files into this folder instead of printing the text
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say whether a role may do something; exit 0 where it may, else 1
    Check(PolicyQuestion),
    /// Say by which lines a role may do something, or which roles may
    Explain(PolicyQuestion),
    /// Compare decisions with the expected ones; exit 1 on a difference, 2 where the file is no suite
    Test(PolicyTest),
}

#[derive(Debug, Args)]
pub struct PolicyQuestion {
    /// A role: `admin` of organizations, `USER` of apps, `team:lead`, or one of the file
    #[arg(value_name = "SUBJECT")]
    pub subject: String,

    /// What it is done to, such as `members`
    #[arg(value_name = "RESOURCE")]
    pub resource: String,

    /// What is done, such as `read`
    #[arg(value_name = "ACTION")]
    pub action: String,

    /// Count the resources and roles of this suite as well
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct PolicyTest {
    /// A suite of your own resources, roles and cases, as TOML [default: what is built in]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct Import {
    /// One user a line, as JSON; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// The app that they are to be users of
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    pub app: Slug,

    /// Judge every line, and make nobody
    #[arg(long)]
    pub dry_run: bool,

    /// Write what became of each line into this file, as JSON
    #[arg(long, value_name = "PATH")]
    pub results: Option<PathBuf>,

    /// Where hashes are Firebase's: a file that holds the project's signer key, in base64
    #[arg(long, value_name = "PATH")]
    pub firebase_signer_key_file: Option<PathBuf>,

    /// The project's salt separator, in base64
    #[arg(long, value_name = "BASE64", default_value = "Bw==")]
    pub firebase_salt_separator: String,

    /// The project's rounds
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub firebase_rounds: u32,

    /// The project's memory cost
    #[arg(long, value_name = "NUMBER", default_value_t = 14)]
    pub firebase_mem_cost: u32,
}

#[derive(Debug, Args)]
pub struct Export {
    /// The app whose users they are
    #[arg(long, value_name = "SLUG", value_parser = slug)]
    pub app: Slug,

    /// Take password hashes along
    #[arg(long)]
    pub hashes: bool,

    /// Write into this file, which must not exist, instead of standard output
    #[arg(long, value_name = "PATH")]
    pub out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct BackUp {
    /// The file to make, which must not exist; the secrets are not in it
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Of the embedded store: write a database that a server opens as it is, instead of an archive
    #[arg(long)]
    pub database: bool,
}

#[derive(Debug, Args)]
pub struct Restore {
    /// What `authsome backup` has made
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Say whether the file is whole and its secrets are those given here, and write nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Take another refresh secret than the backup's: every session ends, and open links are void
    #[arg(long)]
    pub end_sessions: bool,
}

fn label(text: &str) -> Result<Label, String> {
    Label::parse(text).map_err(|why| why.to_string())
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|why| why.to_string())
}

fn language(text: &str) -> Result<Language, String> {
    text.parse::<Language>().map_err(|why| why.to_string())
}

fn template_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Templates::names())
}

fn slug(text: &str) -> Result<Slug, String> {
    Slug::parse(text).map_err(|why| why.to_string())
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the shape that clap asks of a parser"
)]
fn secret(text: &str) -> Result<SecretString, String> {
    Ok(SecretString::from(text))
}

fn line_of(text: &str) -> SecretString {
    let line = text.strip_suffix('\n').unwrap_or(text);
    SecretString::from(line.strip_suffix('\r').unwrap_or(line))
}

#[cfg(test)]
mod tests;
