//! What each command does.

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use actix_web::rt::System;
use anyhow::Context;

use super::{
    Bootstrap, Cli, Command, ConfigAsked, Healthcheck, Mail, Policy, backup, doctor, healthcheck,
    keys, log, mail, policy, serve, transfer,
};
use crate::app::{self, Foundation, World};
use crate::config::{self, Config, Faults, Secrets};
use crate::setup::Wanted;

/// Runs the command; what is wrong with it is said on standard error.
pub fn run(cli: Cli, environment: impl IntoIterator<Item = (OsString, OsString)>) -> ExitCode {
    let named = cli.config.clone();
    let load = || Config::load(named.as_deref(), environment);
    let done = match cli.into_command() {
        Command::Config(asked) => {
            settings(&asked);
            Ok(())
        }
        Command::Openapi => openapi(),
        Command::Policy(Policy::Check(asked)) => in_system(async { policy::check(&asked).await }),
        Command::Policy(Policy::Explain(asked)) => {
            in_system(async { policy::explain(&asked).await })
        }
        Command::Policy(Policy::Test(asked)) => {
            in_system(async { policy::test(asked.file.as_deref()).await })
        }
        Command::Healthcheck(check) => health(&check, load),
        Command::Doctor(asked) => in_system(async { doctor::examine(load(), &asked).await }),
        Command::Mail(Mail::Preview(asked)) => {
            with_config(load, |config| mail::preview(&config, &asked))
        }
        Command::Serve => with_config(load, |config| in_system(serve::run(config))),
        Command::Bootstrap(asked) => {
            with_config(load, |config| in_system(bootstrap(config, asked)))
        }
        Command::Migrate => with_config(load, |config| in_system(migrate(config))),
        Command::Keys(asked) => with_config(load, |config| in_system(keys::run(config, asked))),
        Command::Import(asked) => {
            with_config(load, |config| in_system(transfer::import(config, asked)))
        }
        Command::Export(asked) => {
            with_config(load, |config| in_system(transfer::export(config, asked)))
        }
        Command::Backup(asked) => {
            with_config(load, |config| in_system(backup::back_up(config, asked)))
        }
        Command::Restore(asked) => {
            with_config(load, |config| in_system(backup::restore(config, asked)))
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::say(std::io::stderr(), &format!("authsome: {error:#}"));
            if error.is::<Faults>() || error.is::<policy::BadSuite>() {
                ExitCode::from(config::EXIT_CODE)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn with_config(
    load: impl FnOnce() -> Result<Config, Faults>,
    command: impl FnOnce(Config) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = load()?;
    let _log = log::begin(&config.log)?;
    for warning in config.warnings() {
        tracing::warn!("{warning}");
    }
    command(config)
}

/// The runtime of the process: the workers have their own beside it.
fn in_system(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.context("the runtime cannot be started")?;
    System::with_tokio_rt(|| runtime).block_on(work)
}

/// The store and what works on it, for commands that do not listen.
pub(super) async fn foundation(config: Config) -> anyhow::Result<Foundation> {
    let bind = config.server.bind;
    lay(config, bind).await
}

async fn lay(config: Config, bound: std::net::SocketAddr) -> anyhow::Result<Foundation> {
    let world = World::real();
    let secrets = Secrets::resolve(&config.store, &config.security, &world.entropy)?;
    Ok(Foundation::lay(config, secrets, world, bound).await?)
}

async fn bootstrap(config: Config, asked: Bootstrap) -> anyhow::Result<()> {
    let password = asked.admin_password(&mut std::io::stdin())?;
    let wanted = Wanted {
        app: asked.app.clone(),
        admin_email: asked.admin_email.clone(),
        admin_password: password,
    };
    let foundation = foundation(config).await?;
    let report = foundation.bootstrap(&wanted).await?;
    foundation.notice_other_secrets().await?;
    let named = wanted.admin_email.is_some() || wanted.admin_password.is_some();
    if named && !report.made_operator() {
        eprintln!(
            "authsome: there is an operator already; the address and password given are not used"
        );
    }
    if asked.json {
        said(&serde_json::to_string_pretty(&report)?)?;
    } else {
        said(&report.text(&foundation.tokens.issuer))?;
    }
    Ok(())
}

/// Says what is said once; a reader that is gone is an error and no panic.
pub(super) fn said(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("the report could not be written")
}

async fn migrate(config: Config) -> anyhow::Result<()> {
    foundation(config).await?;
    println!("The store is up to date.");
    Ok(())
}

fn settings(asked: &ConfigAsked) {
    let told = if asked.toml {
        config::sample()
    } else {
        config::reference()
    };
    print!("{told}");
}

fn openapi() -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(&app::document())?);
    Ok(())
}

fn health(
    check: &Healthcheck,
    load: impl FnOnce() -> Result<Config, Faults>,
) -> anyhow::Result<()> {
    let url = match &check.url {
        Some(url) => url.clone(),
        None => healthcheck::url_of(&load()?.server)?,
    };
    healthcheck::check(&url)?;
    println!("ready");
    Ok(())
}
