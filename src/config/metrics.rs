//! Metrics: where they are told.

use std::net::SocketAddr;

use super::{
    setting::{Fallback, section},
    takes::{By, Optional, parsed},
};

section! {
    /// Where metrics are told.
    pub struct Metrics in "metrics" {
        /// An address for `GET /metrics` alone, open to whoever reaches it: keep it inside.
        bind: Option<SocketAddr> = Fallback::Unset("`GET /metrics` of the server, for operators"),
            Optional(By {
                takes: "an IP address and a port, like `127.0.0.1:9464`",
                parse: parsed::<SocketAddr>,
            });
    }
}
