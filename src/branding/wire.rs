use super::record::Look;
use crate::http::{Fields, FromFields};
use crate::kernel::css::StyleSheet;
use crate::kernel::text::{Color, FontFamily, Label, Reason, WebUrl};

impl FromFields for Look {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let logo_url = fields.optional("logo_url", logo);
        let primary_color = fields.optional("primary_color", Color::parse);
        let background_color = fields.optional("background_color", Color::parse);
        let accent_color = fields.optional("accent_color", Color::parse);
        let font_family = fields.optional("font_family", FontFamily::parse);
        let custom_css = fields.optional("custom_css", StyleSheet::parse);
        let company_name = fields.optional("company_name", Label::parse);
        let tagline = fields.optional("tagline", Reason::parse);
        Some(Self {
            logo_url: logo_url?,
            primary_color: primary_color?,
            background_color: background_color?,
            accent_color: accent_color?,
            font_family: font_family?,
            custom_css: custom_css?,
            company_name: company_name?,
            tagline: tagline?,
        })
    }
}

/// Everybody is shown it, so it is on no machine of one's own.
fn logo(text: &str) -> Result<WebUrl, &'static str> {
    let url = WebUrl::parse(text).ok();
    url.filter(|url| url.as_str().starts_with("https://"))
        .ok_or("not an https address of a picture, like https://app.example.com/logo.png")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<Look>();
    }
}
