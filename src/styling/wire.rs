use serde::Serialize;
use utoipa::ToSchema;

use crate::branding::{Brand, Look};
use crate::kernel::id::{AppId, OrgId};

/// The branding of an app or an organization: what is set, and what counts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BrandingSettings)]
pub(super) struct BrandingView {
    app_id: AppId,
    /// Of an organization's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    org_id: Option<OrgId>,
    set: Look,
    effective: Brand,
}

impl BrandingView {
    pub(super) fn of_app(app_id: AppId, (set, effective): (Look, Brand)) -> Self {
        Self {
            app_id,
            org_id: None,
            set,
            effective,
        }
    }

    pub(super) fn of_organization(app_id: AppId, org: OrgId, shown: (Look, Brand)) -> Self {
        Self {
            org_id: Some(org),
            ..Self::of_app(app_id, shown)
        }
    }
}
