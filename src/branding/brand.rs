use serde::Serialize;
use utoipa::ToSchema;

use super::record::Look;
use crate::kernel::css::StyleSheet;
use crate::kernel::text::{Color, FontFamily, Label, Reason};

/// What is set for an app or an organisation, and what it shows where nothing is.
#[derive(Debug, Clone, Copy)]
pub struct Level<'a> {
    pub set: &'a Look,
    pub name: Option<&'a Label>,
    pub logo: Option<&'a str>,
}

/// How something looks, every gap filled. All of it is public.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EffectiveBranding)]
pub struct Brand {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(
        nullable = false,
        format = "uri",
        example = "https://app.example.com/logo.png"
    )]
    pub logo_url: Option<String>,
    /// Whose logo that is, in words.
    #[serde(skip)]
    pub logo_text: Option<Label>,
    pub primary_color: Color,
    pub background_color: Color,
    pub accent_color: Color,
    pub font_family: FontFamily,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub custom_css: Option<StyleSheet>,
    /// What whoever writes is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub company_name: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub tagline: Option<Reason>,
}

impl Level<'_> {
    fn company_name(&self) -> Option<Label> {
        self.set.company_name.as_ref().or(self.name).cloned()
    }

    fn logo(&self) -> Option<String> {
        let set = self.set.logo_url.as_ref().map(AsRef::as_ref);
        set.or(self.logo).map(str::to_owned)
    }
}

impl Brand {
    /// What counts: field by field, what the first of the levels has, the nearest of which comes first
    /// (of a name and a logo also what it is called and shows anyway); then the product's own.
    pub fn of(levels: &[Level<'_>]) -> Self {
        let set = |level: &Level<'_>| level.set.clone();
        let looks: Vec<Look> = levels.iter().map(set).collect();
        let color =
            |of: fn(&Look) -> &Option<Color>| looks.iter().find_map(|look| of(look).clone());
        let with_logo = levels.iter().find(|level| level.logo().is_some());
        Self {
            logo_url: with_logo.and_then(Level::logo),
            logo_text: with_logo.and_then(Level::company_name),
            primary_color: color(|look| &look.primary_color).unwrap_or_default(),
            background_color: color(|look| &look.background_color)
                .unwrap_or_else(Color::light_grey),
            accent_color: color(|look| &look.accent_color).unwrap_or_default(),
            font_family: looks
                .iter()
                .find_map(|look| look.font_family.clone())
                .unwrap_or_default(),
            custom_css: looks.iter().find_map(|look| look.custom_css.clone()),
            company_name: levels.iter().find_map(Level::company_name),
            tagline: looks.iter().find_map(|look| look.tagline.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{from_value, json};

    use super::*;

    fn look(json: serde_json::Value) -> Look {
        from_value(json).expect("a look")
    }

    #[test]
    fn the_nearest_that_has_something_counts_field_by_field() {
        let whole = look(json!({
            "logo_url": "https://acme.example/set.png", "primary_color": "#111111",
            "background_color": "#222222", "accent_color": "#333333", "font_family": "serif",
            "custom_css": "a { color: red }", "company_name": "Acme Inc.", "tagline": "Since 1940",
        }));
        let some = look(json!({"accent_color": "#444444", "tagline": "Northern winds"}));
        let (acme, north) = (
            Label::parse("Acme").unwrap(),
            Label::parse("Northwind").unwrap(),
        );
        let app = Level {
            set: &whole,
            name: Some(&acme),
            logo: Some("https://acme.example/own.png"),
        };
        let org = Level {
            set: &some,
            name: Some(&north),
            logo: None,
        };

        let brand = Brand::of(&[org, app]);

        assert_eq!(
            serde_json::to_value(&brand).unwrap(),
            json!({
                "logo_url": "https://acme.example/set.png", "primary_color": "#111111",
                "background_color": "#222222", "accent_color": "#444444", "font_family": "serif",
                "custom_css": "a { color: red }", "company_name": "Northwind",
                "tagline": "Northern winds",
            })
        );
        assert_eq!(
            brand.logo_text.as_ref().map(Label::as_str),
            Some("Acme Inc.")
        );
        let shown = Level {
            logo: Some("https://north.example/own.png"),
            ..org
        };
        let brand = Brand::of(&[shown, app]);
        assert_eq!(
            brand.logo_url.as_deref(),
            Some("https://north.example/own.png")
        );
        assert_eq!(
            brand.logo_text.as_ref().map(Label::as_str),
            Some("Northwind")
        );
    }

    #[test]
    fn where_nothing_is_set_the_product_looks_like_itself() {
        let (nothing, acme) = (Look::default(), Label::parse("Acme").unwrap());
        let app = Level {
            set: &nothing,
            name: Some(&acme),
            logo: None,
        };

        assert_eq!(
            serde_json::to_value(Brand::of(&[app])).unwrap(),
            json!({
                "primary_color": "#1d4ed8", "background_color": "#f3f4f6",
                "accent_color": "#1d4ed8", "company_name": "Acme",
                "font_family": FontFamily::default(),
            })
        );
    }
}
