//! HTTP on loopback. Everything has a limit, so that nothing that connects can make the page wait for ever or take memory
//! without end.

use super::answer::{self, Answer};
use super::gate::{Call, Gate};
use super::views;
use super::watched::Watched;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use lucerne::Cancel;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Connections at a time; more wait.
const CONNECTIONS: usize = 64;
/// Views computed at a time; more wait.
const THREADS: usize = 4;
/// Bytes of a request's line and headers.
const HEAD_BYTES: usize = 16 << 10;
/// Bytes of a question: a query vector of 4,096 components as text has room.
const BODY_BYTES: usize = 256 << 10;
/// How long a client may take to send the head of a request, and its body.
const HEAD_WITHIN: Duration = Duration::from_secs(5);
const BODY_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection takes new requests, and how long the last one may then take: more than [`views::WITHIN`].
const REQUESTS_WITHIN: Duration = Duration::from_secs(20);
const LAST_WITHIN: Duration = Duration::from_secs(75);
/// How often it is looked whether to end.
const TICK: Duration = Duration::from_millis(200);

/// What is served.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) gate: Gate,
    pub(super) watched: Watched,
}

/// Answers requests until `stop`.
pub(super) fn serve(listener: TcpListener, site: Arc<Site>, stop: &Cancel) -> io::Result<()> {
    let mut builder = runtime::Builder::new_current_thread();
    let runtime = builder.enable_io().enable_time().max_blocking_threads(THREADS).build()?;
    let served = runtime.block_on(accept(listener, site, stop));
    runtime.shutdown_background();
    served
}

async fn accept(listener: TcpListener, site: Arc<Site>, stop: &Cancel) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    while !stop.is_cancelled() {
        let Ok(Ok(place)) = timeout(TICK, Arc::clone(&places).acquire_owned()).await else { continue };
        match timeout(TICK, listener.accept()).await {
            Err(_nobody) => {}
            // As when there are no file handles left.
            Ok(Err(_)) => sleep(TICK).await,
            Ok(Ok((stream, _))) => {
                let site = Arc::clone(&site);
                tokio::spawn(async move {
                    let _place = place;
                    connection(stream, site).await;
                });
            }
        }
    }
    Ok(())
}

async fn connection(stream: TcpStream, site: Arc<Site>) {
    let service = service_fn(move |request| {
        let site = Arc::clone(&site);
        async move { Ok::<_, Infallible>(answer(site, request).await) }
    });
    let mut protocol = http1::Builder::new();
    protocol.max_buf_size(HEAD_BYTES).timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
    let mut requests = pin!(protocol.serve_connection(TokioIo::new(stream), service));
    // A client that goes away, or sends what is no HTTP, has been answered if it could be.
    if timeout(REQUESTS_WITHIN, requests.as_mut()).await.is_err() {
        requests.as_mut().graceful_shutdown();
        let _ended = timeout(LAST_WITHIN, requests).await;
    }
}

async fn answer(site: Arc<Site>, request: Request<Incoming>) -> Answer {
    let too_large = (StatusCode::PAYLOAD_TOO_LARGE, "this question is too large");
    let (head, body) = request.into_parts();
    let view = match site.gate.admit(&head) {
        Err(refusal) => return answer::refused(refusal),
        Ok(Call::File(file)) => return answer::of(StatusCode::OK, file.kind, file.text),
        Ok(Call::View(view)) => view,
    };
    if body.size_hint().lower() > BODY_BYTES as u64 {
        return answer::refused(too_large);
    }
    let question = match timeout(BODY_WITHIN, Limited::new(body, BODY_BYTES).collect()).await {
        Err(_slow) => return answer::refused((StatusCode::REQUEST_TIMEOUT, "the question came too slowly")),
        Ok(Err(_)) => return answer::refused(too_large),
        Ok(Ok(body)) => body.to_bytes(),
    };
    let computed = spawn_blocking(move || views::answer(&site.watched, &view, &question)).await;
    match computed {
        Ok(Ok(json)) => answer::json(json),
        Ok(Err(failure)) => answer::failed(&failure),
        Err(_) => {
            answer::refused((StatusCode::INTERNAL_SERVER_ERROR, "this view failed; see standard error"))
        }
    }
}
