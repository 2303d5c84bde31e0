//! `authsome mail …`.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};

use super::Preview;
use crate::config::Config;
use crate::kernel::language::Language;
use crate::kernel::text::Email;
use crate::kernel::time::Clock;
use crate::mail::{Head, Logo, Mailer, Parcel, Plain, Rendered, Style, Templates};

const LOGO: &str = "https://app.example.com/logo.png";

/// One letter in one language, from one of its samples.
struct Shown {
    name: String,
    letter: Rendered,
}

/// Prints the letters asked for, or writes them into a folder.
pub(super) fn preview(config: &Config, asked: &Preview) -> anyhow::Result<()> {
    let shown = shown(asked)?;
    let Some(folder) = &asked.out else {
        for Shown { name, letter } in shown {
            println!(
                "--- {name}\nSubject: {}\n\n{}\n",
                letter.subject,
                letter.text.trim()
            );
        }
        return Ok(());
    };
    fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let destination = config.mail.destination(&config.store);
    let mailer = Mailer::new(&config.mail, destination, "localhost")?;
    for one in &shown {
        write(folder, one, &mailer)?;
    }
    println!("{} letters are in {}", shown.len(), folder.display());
    Ok(())
}

fn shown(asked: &Preview) -> anyhow::Result<Vec<Shown>> {
    let templates = Templates::built_in()?;
    let acme = Plain::app("Acme").unwrap_or_default();
    let logo = Logo {
        url: LOGO.to_owned(),
        text: acme.clone(),
    };
    let head = Head {
        app: acme.clone(),
        name: Plain::name("Mia"),
        style: Style {
            logo: Some(logo),
            ..Style::of(acme)
        },
    };
    let mut shown = Vec::new();
    let is_asked = |language: &Language| asked.lang.is_none_or(|only| only == *language);
    for language in Language::ALL.into_iter().filter(is_asked) {
        let samples = templates.samples(&head, language)?;
        for (at, (template, letter)) in samples.iter().enumerate() {
            if asked
                .template
                .as_deref()
                .is_some_and(|only| only != *template)
            {
                continue;
            }
            let earlier = samples[..at].iter().filter(|(name, _)| name == template);
            shown.push(Shown {
                name: format!("{template}.{language}.{}", earlier.count() + 1),
                letter: letter.clone(),
            });
        }
    }
    Ok(shown)
}

fn write(folder: &Path, shown: &Shown, mailer: &Mailer) -> anyhow::Result<()> {
    let parcel = Parcel {
        id: shown.name.clone(),
        to: Email::parse("mia@example.org")?,
        sender: None,
        written_at: Clock::system().now(),
        letter: shown.letter.clone(),
    };
    let message = mailer.formatted(&parcel).map_err(|why| anyhow!("{why}"))?;
    let files: [(&str, &[u8]); 3] = [
        ("txt", shown.letter.text.as_bytes()),
        ("html", shown.letter.html.as_bytes()),
        ("eml", &message),
    ];
    for (kind, content) in files {
        let path = folder.join(format!("{}.{kind}", shown.name));
        fs::write(&path, content)
            .with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}
