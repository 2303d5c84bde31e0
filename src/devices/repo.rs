use super::record::Device;
use super::secret::DeviceSecret;
use crate::events::Origin;
use crate::http::Change;
use crate::kernel::entropy::Entropy;
use crate::kernel::id::{DeviceId, UserId};
use crate::kernel::page::{Limit, Position, Slice};
use crate::kernel::tenant::Tenant;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;
use crate::store::{Field, Filter, OfEnvironment, Query, Reaches, Stored, Tx, by_id};

const USER_ID: Field<Device, UserId> = Field::at("user_id");
const FINGERPRINT: Field<Device, String> = Field::at("fingerprint");
const NAME: Field<Device, Label> = Field::at("name");
const IP_ADDRESS: Field<Device, String> = Field::at("ip_address");
const TRUSTED: Field<Device, bool> = Field::at("trusted");
const TRUSTED_UNTIL: Field<Device, Timestamp> = Field::at("trusted_until");
const LAST_SEEN_AT: Field<Device, Timestamp> = Field::at("last_seen_at");
const SIGN_INS: Field<Device, i64> = Field::at("sign_ins");
const CREATED_AT: Field<Device, Timestamp> = Field::at("created_at");
const UPDATED_AT: Field<Device, Timestamp> = Field::at("updated_at");

/// What a user's device was until now.
#[derive(Debug, Clone)]
pub enum Seen {
    Known(Device),
    /// New, and the user has no other.
    First(Device),
    /// New, and the user has others.
    Another(Device),
}

impl Seen {
    pub fn device(&self) -> &Device {
        match self {
            Self::Known(device) | Self::First(device) | Self::Another(device) => device,
        }
    }
}

fn named(user: UserId, fingerprint: &str) -> Filter<Device> {
    USER_ID.eq(user) & FINGERPRINT.eq(fingerprint.to_owned())
}

/// Finds the device of this secret among the user's own, or makes it. The caller changes the
/// document of the user in the same unit before: so of two sign-ins at once, one finds what the
/// other has made.
pub async fn recognise(
    tx: &mut Tx<'_, Tenant>,
    (user, secret): (UserId, &DeviceSecret),
    origin: &Origin,
    (now, entropy): (Timestamp, &Entropy),
) -> Stored<Seen> {
    let fingerprint = secret.fingerprint();
    let ip = origin.ip.map(|ip| IP_ADDRESS.set(ip.to_string()));
    // Counted, so that it is a change also within a millisecond, and a removal meanwhile is noticed.
    let here = LAST_SEEN_AT.set(now).and(SIGN_INS.inc(1)).and_if(ip);
    let known = tx.update_one(named(user, &fingerprint), here).await?;
    if let Some(known) = known {
        return Ok(Seen::Known(known));
    }
    let has_others = tx.find_one(USER_ID.eq(user)).await?.is_some();
    let device = Device::new(tx.scope(), (user, fingerprint), origin, (now, entropy));
    tx.insert(&device).await?;
    Ok(if has_others {
        Seen::Another(device)
    } else {
        Seen::First(device)
    })
}

/// The device of a user with this fingerprint.
pub async fn by_fingerprint<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    fingerprint: &str,
) -> Stored<Option<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find_one(named(user, fingerprint)).await
}

/// A device, if it is this user's.
pub async fn get<S>(tx: &mut Tx<'_, S>, user: UserId, id: DeviceId) -> Stored<Option<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.find_one(by_id(id) & USER_ID.eq(user)).await
}

/// The devices of a user, newest first.
pub async fn page<S>(
    tx: &mut Tx<'_, S>,
    user: UserId,
    (after, limit): (Option<&Position>, Limit),
) -> Stored<Slice<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.page(USER_ID.eq(user), CREATED_AT, after, limit).await
}

/// Names a device of this user; `None` if it is not his.
pub async fn rename<S>(
    tx: &mut Tx<'_, S>,
    (user, id): (UserId, DeviceId),
    name: &Change<Label>,
    now: Timestamp,
) -> Stored<Option<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let named = match name {
        Change::Keep => None,
        Change::Clear => Some(NAME.unset()),
        Change::Set(name) => Some(NAME.set(name.clone())),
    };
    let renamed = UPDATED_AT.set(now).and_if(named);
    tx.update_one(by_id(id) & USER_ID.eq(user), renamed).await
}

/// Trusts a device of this user until then, or no longer; `None` if it is not his.
pub async fn trust<S>(
    tx: &mut Tx<'_, S>,
    (user, id): (UserId, DeviceId),
    until: Option<Timestamp>,
    now: Timestamp,
) -> Stored<Option<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let term = match until {
        Some(until) => TRUSTED_UNTIL.set(until),
        None => TRUSTED_UNTIL.unset(),
    };
    let trusted = TRUSTED.set(until.is_some()).and(term);
    let trusted = trusted.and(UPDATED_AT.set(now));
    tx.update_one(by_id(id) & USER_ID.eq(user), trusted).await
}

/// Removes a device of this user: of any number of racers, one gets it.
pub async fn take<S>(tx: &mut Tx<'_, S>, user: UserId, id: DeviceId) -> Stored<Option<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.take_one(by_id(id) & USER_ID.eq(user)).await
}

/// Every device of a user, newest first, `most` at most.
pub async fn of_user<S>(tx: &mut Tx<'_, S>, user: UserId, most: u32) -> Stored<Vec<Device>>
where
    S: Copy + Reaches<OfEnvironment>,
{
    let newest = Query::of(USER_ID.eq(user)).newest_by(CREATED_AT);
    tx.find(newest.window(0, most)).await
}

/// Removes every device of a user.
pub async fn forget<S>(tx: &mut Tx<'_, S>, user: UserId) -> Stored<()>
where
    S: Copy + Reaches<OfEnvironment>,
{
    tx.delete_many(USER_ID.eq(user)).await.map(drop)
}
