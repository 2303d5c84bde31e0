//! What a client calls itself, as events keep it: see [`crate::kernel::fuzz`].

use super::Origin;
use crate::kernel::fuzz::{always, texts};

/// One line that shows, of 256 bytes at most, whatever is sent to whoever reads the record.
#[test]
fn an_agent_is_kept_on_one_short_line() {
    let seeds = [
        "curl/8.14.1",
        "a\r\nb",
        "\u{1b}[31mred",
        "${jndi:ldap://x}",
        "ééééééééééééééééééééééééé",
    ];
    always(texts(seeds), |text| {
        let of = |text: &str| Origin::new("id".into(), None, Some(text)).user_agent;
        let kept = of(&text);
        let shown: String = text.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(kept.is_some(), !shown.is_empty());
        if let Some(kept) = kept {
            assert!(kept.len() <= 256 && shown.starts_with(&kept));
            assert!(shown.len() <= 256 || kept.len() > 252);
            assert_eq!(of(&kept), Some(kept));
        }
    });
}
