//! Identifiers: `ausr_01h2xcejqtf2nbrexx3vqjhp41`, the kind and a `UUIDv7`.
//!
//! The text form is a `TypeID` (its specification, v0.3): lower-case only, 26 characters of
//! Crockford's base32 after the underscore. Identifiers of one kind sort as text in the order
//! they were made, to the millisecond. They are public names: holding one grants nothing.
//! Not here: secrets and tokens ([`super::secret`], [`super::entropy`]).

use std::{
    cmp::Ordering,
    fmt::{self, Write},
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::{
    RefOr,
    schema::{ObjectBuilder, Schema, Type},
};

use super::{entropy::Entropy, time::Timestamp};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SUFFIX_LEN: usize = 26;
const EXAMPLE_SUFFIX: &str = "01h2xcejqtf2nbrexx3vqjhp41";

/// What an identifier identifies. Implemented by the types in [`kind`] only.
pub trait Kind: 'static {
    /// 3–4 letters of `a-z`, before the underscore.
    const PREFIX: &'static str;
    /// The kind in words, lower-case but for acronyms: `signing key`, `API key`.
    const NOUN: &'static str;
}

macro_rules! kinds {
    ($($alias:ident = $kind:ident, $prefix:literal, $noun:literal;)+) => {
        /// The kinds of identifier: tags without values.
        pub mod kind {
            $(
                #[doc = concat!("Tag of `", $prefix, "_…`: ", $noun, ".")]
                #[derive(Debug, Clone)]
                pub enum $kind {}

                impl super::Kind for $kind {
                    const PREFIX: &'static str = $prefix;
                    const NOUN: &'static str = $noun;
                }
            )+
        }

        $(
            #[doc = concat!("`", $prefix, "_…`: identifies one ", $noun, ".")]
            pub type $alias = Id<kind::$kind>;
        )+

        #[cfg(test)]
        const KINDS: &[(&str, &str)] = &[$(($prefix, $noun)),+];
    };
}

kinds! {
    UserId = User, "ausr", "user";
    SessionId = Session, "ases", "session";
    AppId = App, "aapp", "app";
    EnvId = Env, "aenv", "environment";
    SigningKeyId = SigningKey, "asky", "signing key";
    ApiKeyId = ApiKey, "akey", "API key";
    ServiceAccountId = ServiceAccount, "svc", "service account";
    EventId = Event, "aevt", "event";
    RevocationId = Revocation, "arvk", "revocation";
    CredentialId = Credential, "acrd", "credential";
    AccessTokenId = AccessToken, "atok", "access token";
    NotificationId = Notification, "antf", "notification";
    VerificationId = Verification, "avrf", "verification";
    PasswordResetId = PasswordReset, "apwr", "password reset";
    DeviceId = Device, "adev", "device";
    SessionConfigId = SessionConfig, "ascf", "session config";
    FormConfigId = FormConfig, "afcf", "form config";
    FormVersionId = FormVersion, "afcv", "version of a form";
    ClientConfigId = ClientConfig, "aacf", "app client config";
    BrandingId = Branding, "abrd", "branding";
    OrgId = Organization, "aorg", "organization";
    MemberId = Member, "amem", "member";
    TeamId = Team, "atm", "team";
    TeamMemberId = TeamMember, "atmm", "team member";
    InvitationId = Invitation, "ainv", "invitation";
    RoleId = Role, "arol", "role";
    CatalogueId = Catalogue, "aprm", "permission catalogue";
    PolicyId = Policy, "apol", "policy version";
    SupersededKeyId = SupersededKey, "aspk", "superseded publishable key";
    SettingId = Setting, "aset", "setting";
    WebhookId = Webhook, "awhk", "webhook";
    DeliveryId = Delivery, "awhd", "webhook delivery";
}

/// An identifier of kind `K`: 128 bits, written and stored as text of `PREFIX.len() + 27` bytes.
pub struct Id<K> {
    bits: u128,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// A fresh identifier: `UUIDv7` (RFC 9562 §5.7) of `now` in milliseconds and 74 random bits.
    ///
    /// Times before 1970 count as 1970.
    pub fn new(now: Timestamp, entropy: &Entropy) -> Self {
        let millis = u64::try_from(now.as_millis()).unwrap_or(0);
        let uuid = uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes()).into_uuid();
        Self::from_bits(uuid.as_u128())
    }

    /// When [`Id::new`] made it, to the millisecond; meaningless for text made up elsewhere.
    pub fn made_at(self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.bits >> 80).unwrap_or(i64::MAX))
    }
}

impl<K> Id<K> {
    /// The same bits as an identifier of another kind: for what stands for this one there.
    pub const fn recast<J>(self) -> Id<J> {
        Id::from_bits(self.bits)
    }

    const fn from_bits(bits: u128) -> Self {
        Self {
            bits,
            kind: PhantomData,
        }
    }
}

/// Text that is not an identifier of the expected kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an identifier of the form {prefix}_…")]
pub struct NotAnId {
    prefix: &'static str,
}

impl<K: Kind> FromStr for Id<K> {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        text.strip_prefix(K::PREFIX)
            .and_then(|rest| rest.strip_prefix('_'))
            .and_then(decode)
            .map(Self::from_bits)
            .ok_or(NotAnId { prefix: K::PREFIX })
    }
}

/// The bits of a suffix; `None` for another length, a foreign character or more than 128 bits.
fn decode(suffix: &str) -> Option<u128> {
    let first = *suffix.as_bytes().first()?;
    if suffix.len() != SUFFIX_LEN || first > b'7' {
        return None;
    }
    suffix.bytes().try_fold(0_u128, |bits, letter| {
        let digit = DIGITS[usize::from(letter)];
        (digit != NO_DIGIT).then_some(bits << 5 | u128::from(digit))
    })
}

const NO_DIGIT: u8 = 32;

/// The place of each byte in the alphabet.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut digit = 0;
    while digit < NO_DIGIT {
        digits[ALPHABET[digit as usize] as usize] = digit;
        digit += 1;
    }
    digits
};

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut suffix = [0; SUFFIX_LEN];
        for (place, letter) in suffix.iter_mut().rev().enumerate() {
            let digit = usize::try_from(self.bits >> (5 * place) & 31).map_err(|_| fmt::Error)?;
            *letter = ALPHABET[digit];
        }
        f.write_str(K::PREFIX)?;
        f.write_char('_')?;
        f.write_str(str::from_utf8(&suffix).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// Written out because `derive` would demand the same of the tag `K`, which has no values.
impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.bits == other.bits
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bits.cmp(&other.bits)
    }
}

impl<K> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits.hash(state);
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(IdText(PhantomData))
    }
}

struct IdText<K>(PhantomData<fn() -> K>);

impl<K: Kind> de::Visitor<'_> for IdText<K> {
    type Value = Id<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an identifier of the form {}_…", K::PREFIX)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Id<K>, E> {
        text.parse().map_err(E::custom)
    }
}

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> RefOr<Schema> {
        let prefix = K::PREFIX;
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$")))
            .description(Some(format!("Identifies one {}.", K::NOUN)))
            .examples([format!("{prefix}_{EXAMPLE_SUFFIX}")])
            .into()
    }
}

/// Named after the noun (`UserId`, `SigningKeyId`), for places that do not inline the schema.
impl<K: Kind> utoipa::ToSchema for Id<K> {
    fn name() -> std::borrow::Cow<'static, str> {
        let words = K::NOUN.split(' ').map(capitalised);
        words.chain([String::from("Id")]).collect::<String>().into()
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first
        .into_iter()
        .chain(letters.map(|c| c.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use type_safe_id::{DynamicType, TypeSafeId};
    use utoipa::ToSchema;

    use super::*;

    /// `valid.yml` of the `TypeID` specification, under one of our prefixes.
    const VECTORS: &[(&str, u128)] = &[
        ("00000000000000000000000000", 0),
        ("00000000000000000000000001", 1),
        ("0000000000000000000000000a", 10),
        ("0000000000000000000000000g", 16),
        ("00000000000000000000000010", 32),
        ("7zzzzzzzzzzzzzzzzzzzzzzzzz", u128::MAX),
        (
            "0123456789abcdefghjkmnpqrs",
            0x0110_c853_1d09_52d8_d73e_1194_e95b_5f19,
        ),
        (
            "01h2xcejqtf2nbrexx3vqjhp41",
            0x0188_bac7_4afa_78aa_bc3b_bd1e_ef28_d881,
        ),
    ];

    #[test]
    fn text_and_bits_agree_with_the_specification() {
        for (suffix, bits) in VECTORS {
            let text = format!("ausr_{suffix}");

            let id: UserId = text.parse().unwrap();

            assert_eq!(id.to_string(), text);
            let other: TypeSafeId<DynamicType> = text.parse().unwrap();
            assert_eq!(id.bits, other.uuid().as_u128());
            assert_eq!(id.bits, *bits);
        }
    }

    #[test]
    fn a_fresh_identifier_is_one_that_another_library_reads() {
        let now = Timestamp::from_millis(1_795_266_499_123);
        let entropy = Entropy::seeded(1);

        for _ in 0..200 {
            let id = UserId::new(now, &entropy);

            let other: TypeSafeId<DynamicType> = id.to_string().parse().unwrap();
            assert_eq!(other.type_prefix(), "ausr");
            assert_eq!(other.uuid().as_u128(), id.bits);
            assert_eq!(other.uuid().get_version_num(), 7);
            assert_eq!(other.uuid().get_variant(), uuid::Variant::RFC4122);
            assert_eq!(other.to_string(), id.to_string());
            assert_eq!(id.made_at(), now);
        }
    }

    #[test]
    fn only_the_one_spelling_of_the_right_kind_is_read() {
        for text in [
            "",
            "ausr",
            "ausr_",
            "_01h2xcejqtf2nbrexx3vqjhp41",
            "01h2xcejqtf2nbrexx3vqjhp41",
            "ases_01h2xcejqtf2nbrexx3vqjhp41",
            "AUSR_01h2xcejqtf2nbrexx3vqjhp41",
            "ausr_01H2XCEJQTF2NBREXX3VQJHP41",
            "ausr_8zzzzzzzzzzzzzzzzzzzzzzzzz",
            "ausr_01h2xcejqtf2nbrexx3vqjhp4",
            "ausr_01h2xcejqtf2nbrexx3vqjhp411",
            "ausr_01h2xcejqtf2nbrexx3vqjhp4u",
            "ausr_01h2xcejqtf2nbrexx3vqjhp4i",
            "ausr_01h2xcejqtf2nbrexx3vqjhp4-",
            "ausr__1h2xcejqtf2nbrexx3vqjhp41",
            "ausr-01h2xcejqtf2nbrexx3vqjhp41",
            "ausr_01h2xcejqtf2nbrexx3vqjhpé",
            " ausr_01h2xcejqtf2nbrexx3vqjhp41",
            "ausr_01h2xcejqtf2nbrexx3vqjhp41\n",
        ] {
            assert!(text.parse::<UserId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn identifiers_sort_as_text_in_the_order_of_their_times() {
        let entropy = Entropy::seeded(2);
        let times = [0, 1, 31, 32, 1_023, 1_795_266_499_123, 281_474_976_710_655];

        let ids = times.map(|ms| SessionId::new(Timestamp::from_millis(ms), &entropy));

        assert!(ids.is_sorted());
        assert!(ids.map(|id| id.to_string()).is_sorted());
    }

    #[test]
    fn json_carries_the_text_and_refuses_another_kind() {
        let id = AppId::new(Timestamp::from_millis(5), &Entropy::seeded(3));

        let json = serde_json::to_string(&id).unwrap();

        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<AppId>(&json).unwrap(), id);
        assert_eq!(
            serde_json::from_value::<AppId>(id.to_string().into()).unwrap(),
            id
        );
        assert!(serde_json::from_str::<EnvId>(&json).is_err());
        assert!(serde_json::from_str::<AppId>("7").is_err());
    }

    #[test]
    fn kinds_differ_in_prefix_and_noun() {
        let prefixes: HashSet<_> = KINDS.iter().map(|(prefix, _)| prefix).collect();
        let nouns: HashSet<_> = KINDS.iter().map(|(_, noun)| noun).collect();

        assert_eq!((prefixes.len(), nouns.len()), (KINDS.len(), KINDS.len()));
        assert!(
            prefixes
                .iter()
                .all(|p| p.len() <= 4 && p.bytes().all(|b| b.is_ascii_lowercase()))
        );
    }

    #[test]
    fn schemas_are_named_after_the_noun() {
        assert_eq!(UserId::name(), "UserId");
        assert_eq!(SigningKeyId::name(), "SigningKeyId");
        assert_eq!(ApiKeyId::name(), "ApiKeyId");
    }
}
