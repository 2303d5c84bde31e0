//! A person's own devices: where he signs in from, what he calls them, which of them he trusts.

use std::time::Duration;

use actix_web::web::Data;
use actix_web::{delete, get, patch};
use serde::Serialize;
use utoipa::ToSchema;

use super::service::Sessions;
use crate::access::{ChangeOwnDevice, ListOwnDevices, Permission};
use crate::devices::{Device, Kind};
use crate::http::{
    Allowed, Answer, Body, Change, Fields, FromFields, NoContent, Ok200, Paging, PathId, Problem,
    Query, Routing,
};
use crate::kernel::id::DeviceId;
use crate::kernel::text::Label;
use crate::kernel::time::Timestamp;

const DAY: Duration = Duration::from_hours(24);

/// How long a device is trusted where no term is named, in days.
const USUAL_TERM: u32 = 30;

pub(super) fn routes(config: &mut Routing) {
    config
        .service(list)
        .service(read)
        .service(rename)
        .service(remove)
        .service(trust);
}

/// A device, without what its client knows it by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Device)]
struct DeviceView {
    id: DeviceId,
    /// Whether this request is a session's of it.
    current: bool,
    /// As its owner calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<Label>,
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    browser: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    os: Option<String>,
    /// Where it was signed in from last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    ip_address: Option<String>,
    trusted: bool,
    /// Until when; absent where it is not trusted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trusted_until: Option<Timestamp>,
    /// When it was signed in from last.
    last_seen_at: Timestamp,
    created_at: Timestamp,
}

impl DeviceView {
    fn of(device: Device, current: Option<DeviceId>, now: Timestamp) -> Self {
        let trusted = device.is_trusted(now);
        Self {
            current: current == Some(device.id),
            trusted,
            trusted_until: device.trusted_until.filter(|_| trusted),
            id: device.id,
            name: device.name,
            kind: device.kind,
            browser: device.browser,
            os: device.os,
            ip_address: device.ip_address,
            last_seen_at: device.last_seen_at,
            created_at: device.created_at,
        }
    }
}

/// A page of devices, newest first.
#[derive(Debug, Serialize, ToSchema)]
struct DevicePage {
    devices: Vec<DeviceView>,
    /// Send as `cursor` for what follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    has_more: bool,
}

/// What a device is to be called; `null` takes its name away.
#[derive(Debug, ToSchema)]
struct DeviceChanges {
    #[schema(value_type = Option<Label>)]
    name: Change<Label>,
}

impl FromFields for DeviceChanges {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.change("name", Label::parse);
        Some(Self { name: name? })
    }
}

/// Whether a device is to be trusted, and for how long.
#[derive(Debug, ToSchema)]
struct DeviceTrust {
    trusted: bool,
    /// The term, 30 where none is named; only where it is trusted.
    #[schema(minimum = 1, maximum = 365)]
    days: Option<u32>,
}

impl FromFields for DeviceTrust {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let trusted = fields.required_flag("trusted");
        let days = fields.number("days", 1..=365);
        let (trusted, days) = (trusted?, days?);
        if !trusted && days.is_some() {
            return fields.fault("days", "invalid_days", "is a term for what is trusted");
        }
        Some(Self { trusted, days })
    }
}

impl DeviceTrust {
    fn until(&self, now: Timestamp) -> Option<Timestamp> {
        let term = DAY * self.days.unwrap_or(USUAL_TERM);
        self.trusted.then(|| now.plus(term))
    }
}

/// List my devices
///
/// The devices that the caller has signed in from to this environment, newest first.
#[utoipa::path(
    tag = "devices", operation_id = "devices.list",
    params(Paging),
    responses((status = 200, description = "A page of devices", body = DevicePage)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ListOwnDevices::NAME))),
)]
#[get("/v1/devices")]
async fn list(
    access: Allowed<ListOwnDevices>,
    paging: Query<Paging>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<DevicePage>> {
    let ((user, session), tenant) = (access.user()?, access.tenant());
    let paging = paging.into_inner();
    let current = sessions.device_of(tenant, session).await?;
    let slice = sessions
        .devices(tenant, user, paging.after.as_ref(), paging.limit)
        .await?;
    let now = sessions.clock.now();
    Ok(Ok200::new(DevicePage {
        next_cursor: paging.cursor(slice.next.as_ref()),
        has_more: slice.next.is_some(),
        devices: slice
            .items
            .into_iter()
            .map(|it| DeviceView::of(it, current, now))
            .collect(),
    }))
}

/// Read one of my devices
///
/// Somebody else's is unknown here.
#[utoipa::path(
    tag = "devices", operation_id = "devices.read",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 200, description = "The device", body = DeviceView)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ListOwnDevices::NAME))),
)]
#[get("/v1/devices/{id}")]
async fn read(
    access: Allowed<ListOwnDevices>,
    id: PathId<DeviceId>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<DeviceView>> {
    let (user, _) = access.user()?;
    let device = sessions.device(access.tenant(), user, id.into_inner());
    let device = device.await?;
    view(&access, &sessions, device).await
}

/// Name one of my devices
///
/// The name is for the list; nothing is recognised by it.
#[utoipa::path(
    tag = "devices", operation_id = "devices.update",
    params(("id" = DeviceId, Path, description = "The device")),
    request_body(content = DeviceChanges, example = json!({"name": "Kitchen tablet"})),
    responses((status = 200, description = "The device", body = DeviceView)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ChangeOwnDevice::NAME))),
)]
#[patch("/v1/devices/{id}")]
async fn rename(
    access: Allowed<ChangeOwnDevice>,
    id: PathId<DeviceId>,
    changes: Body<DeviceChanges>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<DeviceView>> {
    let (user, _) = access.user()?;
    let (own, name) = ((user, id.into_inner()), changes.into_inner().name);
    let device = sessions
        .rename_device(access.tenant(), own, &name, access.origin())
        .await?;
    view(&access, &sessions, device).await
}

/// Remove one of my devices
///
/// Ends every session that began on it, at once. Who signs in from it again does so from a new
/// device.
#[utoipa::path(
    tag = "devices", operation_id = "devices.remove",
    params(("id" = DeviceId, Path, description = "The device")),
    responses((status = 204, description = "The device is forgotten and its sessions have ended")),
    security(("session" = [])),
    extensions(("x-permission" = json!(ChangeOwnDevice::NAME))),
)]
#[delete("/v1/devices/{id}")]
async fn remove(
    access: Allowed<ChangeOwnDevice>,
    id: PathId<DeviceId>,
    sessions: Data<Sessions>,
) -> Answer<NoContent> {
    let (user, _) = access.user()?;
    let own = (user, id.into_inner());
    sessions
        .remove_device(access.tenant(), own, access.origin())
        .await?;
    Ok(NoContent)
}

/// Trust one of my devices, or no longer
///
/// Trust ends by itself after its term.
#[utoipa::path(
    tag = "devices", operation_id = "devices.trust",
    params(("id" = DeviceId, Path, description = "The device")),
    request_body(content = DeviceTrust, example = json!({"trusted": true, "days": 90})),
    responses((status = 200, description = "The device", body = DeviceView)),
    security(("session" = [])),
    extensions(("x-permission" = json!(ChangeOwnDevice::NAME))),
)]
#[patch("/v1/devices/{id}/trust")]
async fn trust(
    access: Allowed<ChangeOwnDevice>,
    id: PathId<DeviceId>,
    wanted: Body<DeviceTrust>,
    sessions: Data<Sessions>,
) -> Answer<Ok200<DeviceView>> {
    let (user, _) = access.user()?;
    let own = (user, id.into_inner());
    let until = wanted.into_inner().until(sessions.clock.now());
    let device = sessions
        .trust_device(access.tenant(), own, until, access.origin())
        .await?;
    view(&access, &sessions, device).await
}

async fn view<P>(
    access: &Allowed<P>,
    sessions: &Sessions,
    device: Device,
) -> Result<Ok200<DeviceView>, Problem> {
    let (_, session) = access.user()?;
    let current = sessions.device_of(access.tenant(), session).await?;
    let now = sessions.clock.now();
    Ok(Ok200::new(DeviceView::of(device, current, now)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::assert_documented;

    #[test]
    fn what_is_parsed_is_what_is_documented() {
        assert_documented::<DeviceChanges>();
        assert_documented::<DeviceTrust>();
    }
}
