//! Addresses of pages that links in letters lead to.

use url::{Host, Url, form_urlencoded};

use super::checked_text;

const RAW_MAX: usize = 2_048;

checked_text! {
    /// The address of a page: `https`, or `http` on this machine alone; no user, no fragment.
    WebUrl, refused as NotAWebUrl: "not an https address of a page, like https://app.example.com/verify";
    schema: 10..=2048, Some("uri"), "https://app.example.com/verify-email"
}

/// Whether a URL names a host by an address, or by a name of letters, digits, hyphens, underscores and
/// dots: the URL standard lets quotes through, which end an attribute of a page.
pub fn has_plain_host(url: &Url) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    match url.host() {
        Some(Host::Domain(name)) => name.bytes().all(is_plain),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        None => false,
    }
}

impl WebUrl {
    pub fn parse(text: &str) -> Result<Self, NotAWebUrl> {
        if text.len() > RAW_MAX || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(NotAWebUrl);
        }
        let url = Url::parse(text).map_err(|_| NotAWebUrl)?;
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(NotAWebUrl),
        };
        let is_web = url.scheme() == "https" || (url.scheme() == "http" && is_here);
        let is_plain =
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        if !is_web || !is_plain || !has_plain_host(&url) || url.as_str().len() > RAW_MAX {
            return Err(NotAWebUrl);
        }
        Ok(Self(url.into()))
    }

    /// The same page with one query parameter more, which replaces those of its name.
    pub fn with(&self, name: &str, value: &str) -> String {
        let (page, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let is_other = |pair: &&str| {
            let mut parsed = form_urlencoded::parse(pair.as_bytes());
            !pair.is_empty() && parsed.all(|(known, _)| known != name)
        };
        let pair = form_urlencoded::Serializer::new(String::new())
            .append_pair(name, value)
            .finish();
        let pairs = query.split('&').filter(is_other).chain([&*pair]);
        format!("{page}?{}", pairs.collect::<Vec<_>>().join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_https_or_on_this_machine() {
        for good in [
            "https://app.example.com/verify",
            "https://app.example.com/verify?lang=de",
            "http://localhost:3000/verify",
            "http://127.0.0.1/verify",
            "http://[::1]:3000/",
        ] {
            assert!(WebUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "verify",
            "//app.example.com/verify",
            "http://app.example.com/verify",
            "javascript:alert(1)",
            "data:text/html,x",
            "https://mia@app.example.com/",
            "https://mia:x@app.example.com/",
            "https://app.example.com/#x",
            "https://app.example.com/\r\nx",
            "https://",
            "ftp://app.example.com/",
            "https://app.example\"onload=\"x/",
        ] {
            assert_eq!(WebUrl::parse(bad), Err(NotAWebUrl), "{bad}");
        }
    }

    #[test]
    fn a_parameter_is_added_to_what_is_there() {
        let with = |text: &str| WebUrl::parse(text).unwrap().with("token", "a&b");

        assert_eq!(
            with("https://x.example/v"),
            "https://x.example/v?token=a%26b"
        );
        assert_eq!(
            with("https://x.example/v?a=1"),
            "https://x.example/v?a=1&token=a%26b"
        );
        // What is there keeps its spelling, but for another token.
        assert_eq!(
            with("https://x.example/v?a=%20b&token=1&%74oken=2&c"),
            "https://x.example/v?a=%20b&c&token=a%26b"
        );
        assert_eq!(
            with("https://x.example/v?"),
            "https://x.example/v?token=a%26b"
        );
    }
}
