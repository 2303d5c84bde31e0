//! Service accounts: machines that have roles in the app, as users have. Their verbs are in
//! `service_accounts`.

mod record;
mod repo;

pub use self::record::ServiceAccount;
pub use self::repo::{
    AccountChanges, account, account_page, hold_account, insert_account, remove_account,
    update_account,
};
