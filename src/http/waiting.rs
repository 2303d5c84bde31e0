//! A server that has no store yet: it lives, and tells whoever asks for more that it is not ready.

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::{KeepAlive, Method};
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::json;

use super::headers;
use super::problem::Problem;
use super::problems::ProblemKind;
use super::trace::{REQUEST_ID, RequestId};
use crate::kernel::entropy::Entropy;

/// Whoever is told to come again needs no connection for long.
const CONNECTIONS: usize = 256;
const HEAD: Duration = Duration::from_secs(5);
const LAST: u64 = 1;

const WHY: &str = "The server has just started and waits for its database.";

/// Answers on `listener` for a server that waits for its store, until the handle of the answer stops
/// it. No connection outlives its answer: whoever asks again may find the real one.
pub fn wait_on(listener: TcpListener, entropy: &Entropy) -> std::io::Result<Server> {
    let entropy = Data::new(entropy.clone());
    let app = move || {
        App::new()
            .app_data(entropy.clone())
            .default_service(web::to(answer))
    };
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .keep_alive(KeepAlive::Disabled)
        .client_request_timeout(HEAD)
        .shutdown_timeout(LAST)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

async fn answer(req: HttpRequest, entropy: Data<Entropy>) -> HttpResponse {
    let id = RequestId::new(&entropy);
    let is_asked_for_life = req.method() == Method::GET && req.path().ends_with("/livez");
    let mut response = if is_asked_for_life {
        HttpResponse::Ok().json(json!({"status": "ok"}))
    } else {
        let problem = Problem::new(ProblemKind::StoreUnavailable).detail(WHY);
        problem.render(id.as_str())
    };
    headers::secure(response.headers_mut());
    if let Some(id) = id.header() {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}
