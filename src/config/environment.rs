//! Settings from environment variables: `AUTHSOME_<SECTION>__<KEY>`.
//!
//! Every variable that begins `AUTHSOME_` must be a setting, so that a mistyped one is told.
//! Two sorts are left alone: `AUTHSOME_TEST_…`, which steers the tests, and the links that
//! Kubernetes puts into every pod beside a service whose name begins with `authsome`.

use std::ffi::OsString;

use super::{
    fault::Fault,
    reader::{Given, Reader},
    setting::{Name, PREFIX},
};

const OF_TESTS: &str = "AUTHSOME_TEST_";

pub(super) fn read(
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    reader: &mut Reader,
) {
    let mut ours: Vec<(String, OsString)> = environment
        .into_iter()
        .map(|(variable, value)| (variable.to_string_lossy().into_owned(), value))
        .filter(|(variable, _)| variable.starts_with(PREFIX) && !variable.starts_with(OF_TESTS))
        .filter(|(variable, value)| !is_service_link(variable, &value.to_string_lossy()))
        .collect();
    ours.sort();
    let mut answers = Vec::new();
    for (variable, value) in ours {
        match answer(variable, value) {
            Ok(given) => answers.push(given),
            Err(fault) => reader.fault(fault),
        }
    }
    reader.layer(answers);
}

fn answer(spelled: String, value: OsString) -> Result<Given, Fault> {
    let unknown = |spelled: String| {
        let meant = Name::in_environment(&spelled).map(|name| name.nearest().variable());
        let nearest = meant.unwrap_or_else(|| PREFIX.to_owned());
        Fault::Unknown { spelled, nearest }
    };
    // A name counts in its one spelling: `AUTHSOME_server__bind` is as unknown as a typing error.
    let known = Name::in_environment(&spelled).filter(|name| name.variable() == spelled);
    let Some((setting, form)) = known.and_then(|name| name.known()) else {
        return Err(unknown(spelled));
    };
    match value.into_string() {
        Ok(text) => Ok(Given {
            spelled,
            setting,
            form,
            text,
        }),
        Err(_) => Err(Fault::Shape {
            spelled,
            what: "not UTF-8 text",
        }),
    }
}

/// Whether Kubernetes made this variable (`enableServiceLinks`): `<SERVICE>_SERVICE_HOST`,
/// `…_SERVICE_PORT[_<NAME>]`, `…_PORT=tcp://…`, `…_PORT_<NUMBER>_TCP[_ADDR|_PORT|_PROTO]`.
/// No setting looks like that: all have two underscores after the section.
fn is_service_link(variable: &str, value: &str) -> bool {
    let port = |(_, rest): (&str, &str)| rest.starts_with(|first: char| first.is_ascii_digit());
    let of_service = variable.ends_with("_SERVICE_HOST") || variable.contains("_SERVICE_PORT") || {
        variable.ends_with("_PORT") && value.contains("://")
    };
    !variable.contains("__") && (of_service || variable.split_once("_PORT_").is_some_and(port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_kubernetes_are_not_taken_for_settings() {
        for (variable, value) in [
            ("AUTHSOME_SERVICE_HOST", "10.0.0.7"),
            ("AUTHSOME_SERVICE_PORT", "8080"),
            ("AUTHSOME_SERVICE_PORT_HTTP", "8080"),
            ("AUTHSOME_PORT", "tcp://10.0.0.7:8080"),
            ("AUTHSOME_PORT_8080_TCP_ADDR", "10.0.0.7"),
            ("AUTHSOME_MONGO_PORT_27017_TCP", "tcp://10.0.0.8:27017"),
        ] {
            assert!(is_service_link(variable, value), "{variable}");
        }
        for (variable, value) in [
            ("AUTHSOME_PORT", "8080"),
            ("AUTHSOME_SERVER__PORT", "tcp://10.0.0.7:8080"),
            ("AUTHSOME_SERVER_BIND", "127.0.0.1:1"),
        ] {
            assert!(!is_service_link(variable, value), "{variable}");
        }
    }
}
