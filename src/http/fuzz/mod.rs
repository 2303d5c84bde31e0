//! What any client may send, before anybody knows who he is: see [`crate::kernel::fuzz`].

mod bodies;
mod headers;
mod parameters;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

/// The lines of one header that can be sent at all.
fn lines(name: &HeaderName, lines: &[impl AsRef<[u8]>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let values = lines
        .iter()
        .map(|line| HeaderValue::from_bytes(line.as_ref()));
    for value in values.flatten() {
        headers.append(name.clone(), value);
    }
    headers
}
