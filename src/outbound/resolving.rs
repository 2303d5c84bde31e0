//! Resolving: a name becomes those of its addresses that may be connected to.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

use super::target::Reach;

/// Resolves as the machine does, and keeps what may not be reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judge(pub(super) Reach);

/// Why a name leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("the name has no address")]
    Unknown,
    #[error("the name has no public address")]
    NotPublic,
}

impl Resolve for Judge {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            // The port is the caller's: it is put in where 0 is.
            let found = lookup_host((name.as_str(), 0)).await;
            let found = found.map_err(|_| Unresolved::Unknown)?;
            let admitted = admitted(found, reach)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

fn admitted(
    found: impl Iterator<Item = SocketAddr>,
    reach: Reach,
) -> Result<Vec<SocketAddr>, Unresolved> {
    let mut found = found.peekable();
    if found.peek().is_none() {
        return Err(Unresolved::Unknown);
    }
    let admitted: Vec<_> = found.filter(|it| reach.admits(it.ip())).collect();
    if admitted.is_empty() {
        return Err(Unresolved::NotPublic);
    }
    Ok(admitted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(addresses: &[&str], reach: Reach) -> Result<Vec<String>, Unresolved> {
        let all = addresses.iter().map(|it| it.parse().unwrap());
        let admitted = admitted(all, reach)?;
        Ok(admitted.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn of_a_name_only_public_addresses_are_connected_to() {
        let mixed = ["10.0.0.1:0", "8.8.8.8:0", "[::1]:0", "[2606:4700::1]:0"];

        let admitted = of(&mixed, Reach::Public);

        assert_eq!(admitted.unwrap(), ["8.8.8.8:0", "[2606:4700::1]:0"]);
        assert_eq!(of(&mixed, Reach::Anywhere).unwrap().len(), 4);
    }

    #[test]
    fn a_name_without_one_leads_nowhere() {
        let private = ["127.0.0.1:0", "[fd00:ec2::254]:0", "[::ffff:10.0.0.1]:0"];

        assert_eq!(of(&private, Reach::Public), Err(Unresolved::NotPublic));
        assert_eq!(of(&[], Reach::Public), Err(Unresolved::Unknown));
    }
}
