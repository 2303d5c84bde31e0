//! An address for metrics alone: whoever reaches it may look, so it is for the network of operators.

use std::net::TcpListener;

use actix_web::dev::Server;
use actix_web::web::Data;
use actix_web::{App, HttpServer, get};

use super::service::Metrics;
use crate::http::Text;

/// Nobody looks more often than that many at a time.
const CONNECTIONS: usize = 16;

/// Serves `GET /metrics` on `listener`, and nothing else. It ends with the system that it is in, or
/// by the handle of the answer.
pub fn listen(listener: TcpListener, metrics: Data<Metrics>) -> std::io::Result<Server> {
    let app = move || App::new().app_data(metrics.clone()).service(page);
    let server = HttpServer::new(app)
        .workers(1)
        .max_connections(CONNECTIONS)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

#[get("/metrics")]
async fn page(metrics: Data<Metrics>) -> Text {
    Text::new(metrics.page().await)
}
