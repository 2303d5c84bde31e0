//! Web origins, as browsers send them and as an app lists the ones it trusts.

use url::Url;

use super::checked_text;
use super::web_url::has_plain_host;

const RAW_MAX: usize = 1_024;

checked_text! {
    /// A web origin (RFC 6454 §6.2): `https://app.example.com`, `http://localhost:3000`.
    ///
    /// Lower-case, the host in ASCII, without the scheme's own port. `null` and `*` are none.
    Origin, refused as NotAnOrigin: "not a web origin like https://app.example.com";
    schema: 8..=300, Some("uri"), "https://app.example.com"
}

impl Origin {
    /// Scheme, host and port alone: a path, even `/`, user information, query, fragment and
    /// wildcards are refused, as is what a browser would silently repair.
    pub fn parse(text: &str) -> Result<Self, NotAnOrigin> {
        let (scheme, authority) = text.split_once("://").ok_or(NotAnOrigin)?;
        let is_web = ["http", "https"]
            .iter()
            .any(|web| scheme.eq_ignore_ascii_case(web));
        let odd = |c: char| c.is_whitespace() || c.is_control() || "/\\?#@%*".contains(c);
        if !is_web || text.len() > RAW_MAX || authority.contains(odd) || authority.ends_with(':') {
            return Err(NotAnOrigin);
        }
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let origin = url.origin().ascii_serialization();
        // 8 is `https://`, 253 the longest host, 6 the longest port; anything longer is no host.
        if !has_plain_host(&url) || origin.len() > 8 + 253 + 6 {
            return Err(NotAnOrigin);
        }
        Ok(Self(origin))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_have_one_spelling() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            ("HTTPS://App.Example.COM", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:8080", "http://[::1]:8080"),
            ("https://bücher.example", "https://xn--bcher-kva.example"),
        ] {
            let parsed = Origin::parse(text)
                .map_err(|why| format!("{text}: {why}"))
                .unwrap();

            assert_eq!(parsed.as_str(), origin, "{text}");
            assert_eq!(Origin::parse(origin), Ok(parsed));
        }
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        for text in [
            "",
            "null",
            "*",
            "https://",
            "https://*",
            "https://*.example.com",
            "app.example.com",
            "//app.example.com",
            "https:app.example.com",
            "https:///app.example.com",
            "https://app.example.com/",
            "https://app.example.com/x",
            "https://app.example.com?x",
            "https://app.example.com#x",
            "https://mia@app.example.com",
            "https://a:b@example.com",
            "https://app.example.com:",
            "https://app.example.com:0x50",
            "https://example.com:99999",
            "https://app.exa\nmple.com",
            " https://app.example.com",
            "https://app.example.com ",
            "https://example.com\\.evil.io",
            "https://ex%61mple.com",
            "https://app.example\"x",
            "ftp://example.com",
            "file://x",
            "javascript://x",
            "chrome-extension://abc",
            "https://:443",
            "https://a.com, https://b.com",
        ] {
            assert_eq!(Origin::parse(text), Err(NotAnOrigin), "{text:?}");
        }
    }
}
