//! What a sign-in page is shown of its app. All of it is public.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::record::{Method, Offered, SignInName};
use crate::apps::App;
use crate::branding::Brand;
use crate::environments::{Environment, Kind};
use crate::forms::{FieldType, Form, FormField, FormOption, TextFormat};
use crate::kernel::id::{AppId, EnvId};
use crate::kernel::language::Language;
use crate::kernel::password;
use crate::kernel::text::{Day, Email, Label, Reason, Slug, WebUrl};
use crate::settings::Key;

/// What a sign-in page needs to know of its app. All of it is public.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClientConfig)]
pub(super) struct ShownConfig {
    app_id: AppId,
    env_id: EnvId,
    app_name: Label,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    logo: Option<String>,
    /// How the app looks.
    branding: Brand,
    environment: Slug,
    #[serde(rename = "type")]
    kind: Kind,
    /// Whether people may make accounts for themselves.
    signup_open: bool,
    /// Whether an address must be verified before its holder can sign in.
    require_verification: bool,
    /// Whether people must send `signup_code` to make accounts for themselves.
    signup_code_required: bool,
    /// How people can sign in.
    methods: Vec<Method>,
    /// What they can call themselves beside a password.
    sign_in_names: Vec<SignInName>,
    password: PasswordPolicy,
    /// What a sign-up asks for, in order: what every account has, then the form of the app.
    signup_fields: Vec<SignUpField>,
    /// The version of that form; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    signup_form_version: Option<i64>,
    /// What pages are written in, the one to begin with first.
    languages: Vec<Language>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    redirect_url: Option<WebUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    terms_url: Option<WebUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    privacy_url: Option<WebUrl>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    support_email: Option<Email>,
    /// Where people find help.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    support_url: Option<String>,
}

/// What a new password must be; common ones are refused besides.
#[derive(Debug, Serialize, ToSchema)]
struct PasswordPolicy {
    /// In characters.
    #[schema(example = 8)]
    min_length: u32,
    #[schema(example = 128)]
    max_length: usize,
}

/// One field of the sign-up.
#[derive(Debug, Serialize, ToSchema)]
struct SignUpField {
    #[schema(example = "company")]
    name: String,
    /// `password`, `tel`, or a type of the fields of forms.
    #[serde(rename = "type")]
    kind: &'static str,
    required: bool,
    /// Whether the answer goes into `metadata`, instead of into the body itself.
    in_metadata: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    label: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    placeholder: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    help: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Value, required = false)]
    default: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    options: Option<Vec<FormOption>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    max: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    earliest: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    latest: Option<Day>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    format: Option<TextFormat>,
}

/// What every account has: name, type, whether it is needed.
const OF_ACCOUNTS: [(&str, &str, bool); 6] = [
    ("email", "email", true),
    ("password", "password", true),
    ("first_name", "text", false),
    ("last_name", "text", false),
    ("username", "text", false),
    ("phone", "tel", false),
];

impl ShownConfig {
    pub(super) fn of(
        (app, branding): (App, Brand),
        environment: &Environment,
        offered: &Offered,
        form: Option<&Form>,
    ) -> Self {
        let (settings, chosen) = (&environment.settings, &environment.chosen);
        let of_accounts = OF_ACCOUNTS.into_iter().map(SignUpField::of_accounts);
        let asked = form.into_iter().flat_map(|form| &form.fields);
        let signup_fields = of_accounts.chain(asked.map(SignUpField::of_form));
        Self {
            app_id: app.id,
            env_id: environment.id,
            app_name: app.name,
            logo: app.logo,
            branding,
            environment: environment.slug.clone(),
            kind: environment.kind,
            signup_open: settings.signup_open && offered.is_signup_enabled(),
            require_verification: settings.require_verification,
            signup_code_required: chosen.secret(Key::SignupCode).is_some(),
            methods: offered.methods().to_vec(),
            sign_in_names: offered.sign_in_names().to_vec(),
            password: PasswordPolicy {
                min_length: chosen.number(Key::PasswordMinLength),
                max_length: password::MAX_CHARS,
            },
            signup_fields: signup_fields.collect(),
            signup_form_version: form.map(|form| form.version),
            languages: languages(offered, settings.default_language),
            redirect_url: offered.redirect_url.clone(),
            terms_url: offered.terms_url.clone(),
            privacy_url: offered.privacy_url.clone(),
            support_email: offered.support_email.clone(),
            support_url: chosen.text(Key::SupportUrl),
        }
    }
}

/// Those that are set; else all of them, that of the environment first.
fn languages(offered: &Offered, first: Language) -> Vec<Language> {
    if let Some(set) = &offered.languages {
        return set.clone();
    }
    let others = Language::ALL.into_iter().filter(|it| *it != first);
    [first].into_iter().chain(others).collect()
}

impl SignUpField {
    fn of_accounts((name, kind, required): (&str, &'static str, bool)) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            required,
            in_metadata: false,
            label: None,
            placeholder: None,
            help: None,
            default: None,
            options: None,
            min: None,
            max: None,
            earliest: None,
            latest: None,
            format: None,
        }
    }

    fn of_form(field: &FormField) -> Self {
        let field = field.clone();
        Self {
            name: field.name.to_string(),
            kind: named(field.kind),
            required: field.required,
            in_metadata: true,
            label: Some(field.label),
            placeholder: field.placeholder,
            help: field.help,
            default: field.default,
            options: field.options,
            min: field.min,
            max: field.max,
            earliest: field.earliest,
            latest: field.latest,
            format: field.format,
        }
    }
}

const fn named(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "text",
        FieldType::Textarea => "textarea",
        FieldType::Email => "email",
        FieldType::Phone => "phone",
        FieldType::Url => "url",
        FieldType::Number => "number",
        FieldType::Date => "date",
        FieldType::Checkbox => "checkbox",
        FieldType::Select => "select",
        FieldType::Multiselect => "multiselect",
        FieldType::Radio => "radio",
    }
}
