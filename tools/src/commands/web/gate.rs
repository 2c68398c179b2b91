//! Which requests are answered. A page of another site can make a browser send requests to this machine; none of them
//! knows the token, and those that browsers mark as coming from elsewhere are refused even with it.

use super::page;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, StatusCode, header};

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// A file of the page.
    File(&'static page::File),
    /// A view by its name; the question is in the body.
    View(String),
}

/// Why a request is refused: the status, and a line for people.
pub(super) type Refusal = (StatusCode, &'static str);

/// What requests must know.
#[derive(Debug)]
pub(super) struct Gate {
    port: u16,
    token: String,
}

impl Gate {
    pub(super) fn new(port: u16, token: String) -> Self {
        Self { port, token }
    }

    /// What the request asks for, if it may.
    pub(super) fn admit(&self, request: &Parts) -> Result<Call, Refusal> {
        let host = self.host(&request.headers);
        let host = host.ok_or((StatusCode::MISDIRECTED_REQUEST, "this host is not served here"))?;
        if request.uri.authority().is_some() {
            return Err((StatusCode::BAD_REQUEST, "a path is expected"));
        }
        if comes_from_elsewhere(&request.headers, host) {
            return Err((StatusCode::FORBIDDEN, "requests of other pages are refused"));
        }
        let unknown = (StatusCode::NOT_FOUND, "not found; use the address that lucerne web printed");
        let path = request.uri.path().strip_prefix('/').ok_or(unknown)?;
        let (token, path) = path.split_once('/').ok_or(unknown)?;
        if !same(token.as_bytes(), self.token.as_bytes()) {
            return Err(unknown);
        }
        let (call, method) = match path.strip_prefix("api/") {
            Some(view) => (Call::View(view.to_owned()), Method::POST),
            None => (Call::File(page::file(path).ok_or(unknown)?), Method::GET),
        };
        if request.method != method {
            return Err((StatusCode::METHOD_NOT_ALLOWED, "this method is not allowed here"));
        }
        Ok(call)
    }

    /// The host of the request, if it is this one: another name may be made to resolve to this machine.
    fn host<'a>(&self, headers: &'a HeaderMap) -> Option<&'a str> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next()?.to_str().ok()?;
        // Browsers leave the port of HTTP out.
        let (name, port) = host.rsplit_once(':').unwrap_or((host, "80"));
        let known = matches!(name, "127.0.0.1" | "localhost") && port == self.port.to_string();
        (known && hosts.next().is_none()).then_some(host)
    }
}

/// Whether a browser says that another site has made it send this.
fn comes_from_elsewhere(headers: &HeaderMap, host: &str) -> bool {
    let origins = headers.get_all(header::ORIGIN).iter();
    let sites = headers.get_all("sec-fetch-site").iter();
    let own = format!("http://{host}");
    origins.into_iter().any(|origin| origin.as_bytes() != own.as_bytes())
        || sites.into_iter().any(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

/// Whether two texts are the same, in a time that does not tell how many bytes are.
fn same(left: &[u8], right: &[u8]) -> bool {
    let differing = left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right));
    left.len() == right.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::Request;

    #[test]
    fn the_port_of_http_may_be_left_out_of_the_host() {
        let admits = |port, host: &str| {
            let request = Request::get("/token/").header(header::HOST, host).body(()).unwrap();
            Gate::new(port, "token".to_owned()).admit(&request.into_parts().0).is_ok()
        };
        assert!(admits(80, "127.0.0.1") && admits(80, "localhost:80") && admits(81, "localhost:81"));
        assert!(!admits(81, "127.0.0.1") && !admits(81, "localhost:80") && !admits(80, "elsewhere"));
    }
}
