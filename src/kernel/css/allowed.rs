//! What a style sheet may say: the lists. Nothing here loads, runs, moves or hides anything.

/// How something looks where it stands. None that moves it out of its place, and none that takes the
/// address of something.
const PROPERTIES: &[&str] = &[
    "background",
    "background-color",
    "border",
    "border-bottom",
    "border-bottom-color",
    "border-bottom-left-radius",
    "border-bottom-right-radius",
    "border-bottom-style",
    "border-bottom-width",
    "border-collapse",
    "border-color",
    "border-left",
    "border-left-color",
    "border-left-style",
    "border-left-width",
    "border-radius",
    "border-right",
    "border-right-color",
    "border-right-style",
    "border-right-width",
    "border-spacing",
    "border-style",
    "border-top",
    "border-top-color",
    "border-top-left-radius",
    "border-top-right-radius",
    "border-top-style",
    "border-top-width",
    "border-width",
    "box-shadow",
    "color",
    "font-family",
    "font-size",
    "font-style",
    "font-variant",
    "font-weight",
    "height",
    "letter-spacing",
    "line-height",
    "list-style-type",
    "margin",
    "margin-bottom",
    "margin-left",
    "margin-right",
    "margin-top",
    "max-height",
    "max-width",
    "min-height",
    "min-width",
    "outline",
    "outline-color",
    "outline-style",
    "outline-width",
    "overflow-wrap",
    "padding",
    "padding-bottom",
    "padding-left",
    "padding-right",
    "padding-top",
    "text-align",
    "text-decoration",
    "text-decoration-color",
    "text-decoration-line",
    "text-decoration-style",
    "text-decoration-thickness",
    "text-shadow",
    "text-transform",
    "text-underline-offset",
    "vertical-align",
    "white-space",
    "width",
    "word-break",
    "word-spacing",
];

/// Of colours alone.
const FUNCTIONS: &[&str] = &[
    "hsl",
    "hsla",
    "linear-gradient",
    "radial-gradient",
    "rgb",
    "rgba",
];

const UNITS: &[&str] = &[
    "ch", "cm", "deg", "em", "ex", "in", "mm", "pc", "pt", "px", "rem", "turn", "vh", "vw",
];

/// What an element is, never what it holds or where it leads.
const PSEUDO_CLASSES: &[&str] = &[
    "active",
    "first-child",
    "focus",
    "hover",
    "last-child",
    "link",
    "visited",
];

pub(super) const MEDIA_TYPES: &[&str] = &["all", "print", "screen"];

/// The features of media, and the words that each can be; none: a length.
const FEATURES: &[(&str, &[&str])] = &[
    ("max-height", &[]),
    ("max-width", &[]),
    ("min-height", &[]),
    ("min-width", &[]),
    ("orientation", &["landscape", "portrait"]),
    ("prefers-color-scheme", &["dark", "light"]),
    ("prefers-reduced-motion", &["no-preference", "reduce"]),
];

/// The name as it is written, where it is on the list; case does not count.
fn on(list: &'static [&'static str], name: &str) -> Option<&'static str> {
    list.iter()
        .copied()
        .find(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn property(name: &str) -> Option<&'static str> {
    on(PROPERTIES, name)
}

pub(super) fn function(name: &str) -> Option<&'static str> {
    on(FUNCTIONS, name)
}

pub(super) fn unit(name: &str) -> Option<&'static str> {
    on(UNITS, name)
}

pub(super) fn pseudo_class(name: &str) -> Option<&'static str> {
    on(PSEUDO_CLASSES, name)
}

pub(super) fn media_type(name: &str) -> Option<&'static str> {
    on(MEDIA_TYPES, name)
}

/// A feature of media, and the words it can be.
pub(super) fn feature(name: &str) -> Option<(&'static str, &'static [&'static str])> {
    let mut all = FEATURES.iter().copied();
    all.find(|(known, _)| known.eq_ignore_ascii_case(name))
}

pub(super) fn word(words: &'static [&'static str], name: &str) -> Option<&'static str> {
    on(words, name)
}
