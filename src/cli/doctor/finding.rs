//! What was found, and how it is told.

use serde_json::{Value, json};

/// How something fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Health {
    Ok,
    Warn,
    Fail,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) health: Health,
    /// What is so: a clause for a person at a terminal.
    pub(super) detail: String,
    /// What to do about it.
    pub(super) advice: Option<String>,
}

/// Everything that was looked at, in its order.
#[derive(Debug)]
pub(super) struct Report(pub(super) Vec<Finding>);

impl Health {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

impl Finding {
    pub(super) fn ok(check: &'static str, detail: impl Into<String>) -> Self {
        Self {
            check,
            health: Health::Ok,
            detail: detail.into(),
            advice: None,
        }
    }

    pub(super) fn warn(
        check: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Warn,
            advice: Some(advice.into()),
            ..Self::ok(check, detail)
        }
    }

    pub(super) fn fail(
        check: &'static str,
        detail: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Fail,
            ..Self::warn(check, detail, advice)
        }
    }
}

impl Report {
    pub(super) fn count(&self, health: Health) -> usize {
        self.0.iter().filter(|it| it.health == health).count()
    }

    /// A line each, with what to do below it, and how many there are of each kind.
    pub(super) fn text(&self) -> String {
        let mut lines = Vec::new();
        for finding in &self.0 {
            let word = finding.health.word();
            lines.push(format!(
                "{word:<5} {:<15} {}",
                finding.check, finding.detail
            ));
            if let Some(advice) = &finding.advice {
                lines.push(format!("{:<22}→ {advice}", ""));
            }
        }
        let counts = [Health::Ok, Health::Warn, Health::Fail];
        let counts = counts.map(|health| format!("{} {}", self.count(health), health.word()));
        lines.push(counts.join(", "));
        lines.join("\n")
    }

    pub(super) fn document(&self) -> Value {
        let worst = self.0.iter().map(|it| it.health).max();
        let checks = self.0.iter().map(|it| {
            json!({
                "check": it.check, "status": it.health.word(), "detail": it.detail,
                "advice": it.advice,
            })
        });
        json!({
            "status": worst.unwrap_or(Health::Ok).word(),
            "checks": checks.collect::<Vec<_>>(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_as_bad_as_its_worst_finding_and_says_what_to_do() {
        let report = Report(vec![
            Finding::ok("store", "it answers"),
            Finding::warn("mail", "nobody gets a letter", "set it"),
            Finding::fail("clock", "it is 40s ahead", "run NTP"),
        ]);

        let text = report.text();

        assert_eq!(
            text.lines().collect::<Vec<_>>(),
            [
                "ok    store           it answers",
                "warn  mail            nobody gets a letter",
                "                      → set it",
                "fail  clock           it is 40s ahead",
                "                      → run NTP",
                "1 ok, 1 warn, 1 fail",
            ]
        );
        assert_eq!(report.document()["status"], "fail");
        assert_eq!(report.document()["checks"][1]["advice"], "set it");
        assert_eq!(Report(Vec::new()).document()["status"], "ok");
    }
}
