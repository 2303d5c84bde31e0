//! What clients say of their devices: see [`crate::kernel::fuzz`].

use super::agent::{Agent, Kind};
use super::secret::DeviceSecret;
use crate::kernel::fuzz::{always, texts};

#[test]
fn a_device_is_named_by_a_secret_that_is_taken_as_it_is() {
    let seeds = [
        "0123456789abcdef",
        "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b",
        "a b",
        "~~~~~~~~~~~~~~~~~",
    ];
    always((texts(seeds), texts(seeds)), |(one, other)| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._~-".contains(c);
        let may_be = (16..=128).contains(&one.len()) && one.chars().all(is_plain);
        let read = DeviceSecret::parse(&one);
        assert_eq!(read.is_ok(), may_be, "{one}");
        if let (Ok(read), Ok(beside)) = (read, DeviceSecret::parse(&other)) {
            assert_eq!(read.expose(), one);
            assert_eq!(read.fingerprint() == beside.fingerprint(), one == other);
            assert!(!format!("{read:?}").contains(&one));
        }
    });
}

/// What is told of a device is a word of ours: nothing of what it says is repeated.
#[test]
fn an_agent_is_told_in_our_own_words() {
    let seeds = [
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5) Version/18.5 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Mobile Safari/537.36 EdgA/1",
        "curl/8.14.1",
        "<script>alert(1)</script>\u{1b}[31m",
    ];
    always(texts(seeds), |text| {
        let agent = Agent::of(Some(&text));
        assert_eq!(agent, Agent::of(Some(&format!("{text} ;"))));
        assert_eq!(agent.os.is_none(), agent.kind == Kind::Other);
        for word in [agent.browser, agent.os].into_iter().flatten() {
            assert!(
                word.chars().all(|c| c.is_ascii_alphabetic() || c == ' '),
                "{word}"
            );
        }
    });
}
