//! Bodies that nobody reads to their end.
//!
//! When the reader of a chunked body is gone, actix drains the rest for as long as the client cares
//! to send it: an endless body would hold its connection for ever. While the body is still held it
//! closes the connection instead, after a short linger. So the answer holds what is left unread.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::TRANSFER_ENCODING;
use actix_web::web::Bytes;
use futures_util::Stream;

/// A hand on the body of a request; empty once that has been read to its end.
#[derive(Clone)]
pub(super) struct Unread(Rc<RefCell<Option<Payload>>>);

impl Unread {
    /// Lays a hand on the body, if it is chunked.
    pub(super) fn of(req: &mut ServiceRequest) -> Option<Self> {
        if !req.headers().contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let unread = Self(Rc::new(RefCell::new(Some(req.parts_mut().1.take()))));
        req.set_payload(Payload::Stream {
            payload: Box::pin(unread.clone()),
        });
        Some(unread)
    }

    /// Makes the answer hold whatever is unread, until it has been sent.
    pub(super) fn held_by(self, response: HttpResponse) -> HttpResponse {
        if self.0.borrow().is_none() {
            return response;
        }
        response.map_body(|_, body| {
            BoxBody::new(Holding {
                body,
                _unread: self,
            })
        })
    }
}

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut unread = self.0.borrow_mut();
        let Some(payload) = unread.as_mut() else {
            return Poll::Ready(None);
        };
        let polled = Pin::new(payload).poll_next(cx);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            *unread = None;
        }
        polled
    }
}

/// The body of an answer, and the request's that goes with it.
struct Holding {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Holding {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}
