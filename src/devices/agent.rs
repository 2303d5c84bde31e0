//! What a `User-Agent` says of a device, for people to recognise it by. Nothing is decided by it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What sort of machine it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = DeviceType)]
pub enum Kind {
    Desktop,
    Mobile,
    Tablet,
    Other,
}

/// What a device calls itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agent {
    pub kind: Kind,
    pub browser: Option<&'static str>,
    pub os: Option<&'static str>,
}

/// The first that fits counts: most browsers name those they descend from as well.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
];

/// Telephones name the system that theirs descends from as well.
const SYSTEMS: [(&str, &str, Kind); 7] = [
    ("iPhone", "iOS", Kind::Mobile),
    ("iPad", "iPadOS", Kind::Tablet),
    ("Android", "Android", Kind::Tablet),
    ("CrOS", "ChromeOS", Kind::Desktop),
    ("Windows NT", "Windows", Kind::Desktop),
    ("Macintosh", "macOS", Kind::Desktop),
    ("Linux", "Linux", Kind::Desktop),
];

impl Agent {
    pub(super) fn of(user_agent: Option<&str>) -> Self {
        let text = user_agent.unwrap_or_default();
        let browser = BROWSERS.iter().find(|(mark, _)| text.contains(mark));
        let system = SYSTEMS.iter().find(|(mark, ..)| text.contains(mark));
        let kind = match system {
            // Android's telephones say so, its tablets do not.
            Some(("Android", ..)) if text.contains("Mobile") => Kind::Mobile,
            Some((.., kind)) => *kind,
            None => Kind::Other,
        };
        Self {
            kind,
            browser: browser.map(|(_, name)| *name),
            os: system.map(|(_, name, _)| *name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(&str, Option<&str>, Option<&str>, Kind); 12] = [
        (
            "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            Some("Firefox"),
            Some("Linux"),
            Kind::Desktop,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            Some("Chrome"),
            Some("Windows"),
            Kind::Desktop,
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            Some("Edge"),
            Some("Windows"),
            Kind::Desktop,
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
            Some("Safari"),
            Some("macOS"),
            Kind::Desktop,
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
            Some("Safari"),
            Some("iOS"),
            Kind::Mobile,
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1",
            Some("Chrome"),
            Some("iPadOS"),
            Kind::Tablet,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36",
            Some("Chrome"),
            Some("Android"),
            Kind::Mobile,
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
            Some("Chrome"),
            Some("Android"),
            Kind::Tablet,
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/120.0.0.0",
            Some("Opera"),
            Some("ChromeOS"),
            Kind::Desktop,
        ),
        ("curl/8.14.1", Some("curl"), None, Kind::Other),
        ("Chromeish Windows", None, None, Kind::Other),
        ("", None, None, Kind::Other),
    ];

    #[test]
    fn what_is_known_is_told_and_nothing_is_guessed() {
        for (text, browser, os, kind) in TABLE {
            let agent = Agent::of(Some(text));

            assert_eq!(agent, Agent { kind, browser, os }, "{text}");
        }
        assert_eq!(Agent::of(None), Agent::of(Some("")));
    }
}
