//! Expected decisions, as `policies/cases.csv` and `policies/organization_cases.csv` state them: the
//! policies' own tests, run with the others and by the command line.

use super::{OrgPolicy, Policy};

const CASES: &str = include_str!("../../policies/cases.csv");
const ORGANIZATION_CASES: &str = include_str!("../../policies/organization_cases.csv");

/// One expected decision about one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub subject: String,
    pub object: String,
    pub action: String,
    pub allowed: bool,
}

/// A record of the table that is no case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCase {
    #[error("record {record}: four fields are wanted, {found} given")]
    Fields { record: usize, found: usize },
    #[error("record {record}: a decision is allow or deny")]
    Decision { record: usize },
    #[error("record {record}: a quote without its partner")]
    Quote { record: usize },
}

/// The built-in table about apps.
pub fn cases() -> Result<Vec<Case>, BadCase> {
    parse(CASES)
}

/// The built-in table about an organisation in which nobody has defined anything.
pub fn organization_cases() -> Result<Vec<Case>, BadCase> {
    parse(ORGANIZATION_CASES)
}

impl Policy {
    /// The cases that this policy decides otherwise.
    pub fn misjudged<'a>(&self, cases: &'a [Case]) -> Vec<&'a Case> {
        misjudged(cases, |subjects, case| {
            self.allows(subjects, &case.object, &case.action)
        })
    }
}

impl OrgPolicy {
    /// The cases that this policy decides otherwise.
    pub fn misjudged<'a>(&self, cases: &'a [Case]) -> Vec<&'a Case> {
        misjudged(cases, |subjects, case| {
            self.allows(subjects, &case.object, &case.action)
        })
    }
}

fn misjudged(cases: &[Case], decides: impl Fn(&[String], &Case) -> bool) -> Vec<&Case> {
    let decides = |case: &Case| decides(std::slice::from_ref(&case.subject), case);
    let otherwise = cases.iter().filter(|case| decides(case) != case.allowed);
    otherwise.collect()
}

fn parse(text: &str) -> Result<Vec<Case>, BadCase> {
    records(text)?
        .into_iter()
        .enumerate()
        .map(|(at, fields)| case(at + 1, fields))
        .collect()
}

fn case(record: usize, fields: Vec<String>) -> Result<Case, BadCase> {
    let [subject, object, action, decision] =
        <[String; 4]>::try_from(fields).map_err(|f| BadCase::Fields {
            record,
            found: f.len(),
        })?;
    let allowed = match decision.as_str() {
        "allow" => true,
        "deny" => false,
        _ => return Err(BadCase::Decision { record }),
    };
    Ok(Case {
        subject,
        object,
        action,
        allowed,
    })
}

/// RFC 4180 §2, and between records: empty lines, and comments from `#␠` to the end of the line.
pub(super) fn records(text: &str) -> Result<Vec<Vec<String>>, BadCase> {
    let mut records = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if rest.starts_with('\n') || rest.starts_with("# ") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            continue;
        }
        let bad = BadCase::Quote {
            record: records.len() + 1,
        };
        let mut fields = Vec::new();
        loop {
            let (field, after) = field(rest).ok_or(bad.clone())?;
            fields.push(field);
            let Some(more) = after.strip_prefix(',') else {
                rest = after.strip_prefix('\n').unwrap_or(after);
                break;
            };
            rest = more;
        }
        records.push(fields);
    }
    Ok(records)
}

/// The field that `text` begins with, and what follows it: a comma, a line break or nothing.
fn field(text: &str) -> Option<(String, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let end = text.find([',', '\n']).unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut field = String::new();
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        let Some(more) = after.strip_prefix('"') else {
            let ends = after.is_empty() || after.starts_with([',', '\n']);
            return ends.then_some((field, after));
        };
        field.push('"');
        rest = more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_built_in_policy_decides_every_case_as_expected() {
        let policy = Policy::built_in().await.unwrap();
        let cases = cases().unwrap();

        assert!(cases.len() > 100);
        assert_eq!(policy.misjudged(&cases), Vec::<&Case>::new());
        // A second look comes from the cache, and must not differ.
        assert_eq!(policy.misjudged(&cases), Vec::<&Case>::new());
    }

    #[tokio::test]
    async fn a_wrong_expectation_is_reported() {
        let policy = Policy::built_in().await.unwrap();
        let wrong = parse("role:USER,me,read,deny\nrole:USER,apps,operate,deny\n").unwrap();

        assert_eq!(policy.misjudged(&wrong), [&wrong[0]]);
    }

    #[test]
    fn quoted_fields_hold_separators() {
        let read = records("# note\n\"a,\"\"b\nc\", d,,deny\n\ne,f").unwrap();

        assert_eq!(read, [vec!["a,\"b\nc", " d", "", "deny"], vec!["e", "f"]]);
    }

    #[test]
    fn malformed_records_are_named() {
        assert_eq!(
            parse("a,b,allow"),
            Err(BadCase::Fields {
                record: 1,
                found: 3
            })
        );
        assert_eq!(
            parse("a,b,c,deny\na,b,c,maybe"),
            Err(BadCase::Decision { record: 2 })
        );
        assert_eq!(parse("a,b,c,\"deny"), Err(BadCase::Quote { record: 1 }));
        assert_eq!(parse("\"a\"b,c,d,deny"), Err(BadCase::Quote { record: 1 }));
    }
}
