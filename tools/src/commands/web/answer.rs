//! Responses. Their headers keep a browser from loading anything from elsewhere, from showing the page in a frame of
//! another, and from keeping documents on disk.

use super::gate::Refusal;
use crate::failure::{Code, Failure};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::HeaderValue;
use hyper::{Response, StatusCode, header};
use serde_json::json;

pub(super) type Answer = Response<Full<Bytes>>;

/// What the page may do: run and show its own files, ask its own server.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A response with a body.
pub(super) fn of(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    for name in ["cross-origin-resource-policy", "cross-origin-opener-policy"] {
        headers.insert(name, HeaderValue::from_static("same-origin"));
    }
    answer
}

/// The answer of a view.
pub(super) fn json(body: impl Into<Bytes>) -> Answer {
    of(StatusCode::OK, "application/json", body)
}

/// A request that is not answered.
pub(super) fn refused((status, problem): Refusal) -> Answer {
    of(status, "text/plain; charset=utf-8", format!("{problem}\n"))
}

/// A view that failed, as the command line would say it.
pub(super) fn failed(failure: &Failure) -> Answer {
    let status = match failure.code {
        Code::Usage => StatusCode::BAD_REQUEST,
        Code::TimedOut | Code::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let body = json!({ "error": failure.message, "hint": failure.hint });
    of(status, "application/json", body.to_string())
}
