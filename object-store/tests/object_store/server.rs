//! An S3 server in this process, on loopback: s3s over a folder, behind a door that can fail in every way a network does.
//!
//! s3s looks whether an object exists before it writes it, in two steps; S3 does both at once. The door lets one request
//! with a condition through at a time, so that the promise is S3's.

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use lucerne_object_store::object_store::aws::AmazonS3Builder;
use lucerne_object_store::object_store::{ClientOptions, RetryConfig};
use lucerne_object_store::{Remote, Retries};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

pub(crate) const KEY: &str = "key";
pub(crate) const SECRET: &str = "secret";
const BUCKET: &str = "bucket";

/// What the door does to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// 503, and nothing was done.
    Unavailable,
    /// It is done, and the answer is 500.
    DoneAndFailed,
    /// The connection ends, and nothing was done.
    Reset,
    /// It is done, and the connection ends without an answer.
    DoneAndReset,
    /// The answer is cut off in its body.
    CutOff,
    /// The answer has a changed byte.
    Changed,
    /// It is done, and nobody answers in time.
    Late,
}

const FAULTS: [Fault; 7] = [
    Fault::Unavailable,
    Fault::DoneAndFailed,
    Fault::Reset,
    Fault::DoneAndReset,
    Fault::CutOff,
    Fault::Changed,
    Fault::Late,
];

/// How long a client waits for an answer, and one that is to notice late answers.
const PATIENCE: Duration = Duration::from_secs(10);
const IMPATIENCE: Duration = Duration::from_millis(120);

#[derive(Default)]
pub(crate) struct Door {
    /// Requests of a thousand that meet a fault.
    pub(crate) per_mille: AtomicU64,
    random: AtomicU64,
    pub(crate) faults: [AtomicU64; FAULTS.len()],
    pub(crate) requests: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    conditional: tokio::sync::Mutex<()>,
}

impl Door {
    fn next_fault(&self) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let state = self.random.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) >> 20;
        if mixed % 1_000 >= self.per_mille.load(Ordering::Relaxed) {
            return None;
        }
        let which = (mixed / 1_000) as usize % FAULTS.len();
        self.faults[which].fetch_add(1, Ordering::Relaxed);
        Some(FAULTS[which])
    }

    /// `Unavailable 12, DoneAndFailed 9, …`
    pub(crate) fn report(&self) -> String {
        let counts = FAULTS.iter().zip(&self.faults);
        let words = counts.map(|(fault, count)| format!("{fault:?} {}", count.load(Ordering::Relaxed)));
        words.collect::<Vec<_>>().join(", ")
    }
}

pub(crate) struct Server {
    pub(crate) endpoint: String,
    pub(crate) door: Arc<Door>,
    root: tempfile::TempDir,
    runtime: Option<Runtime>,
}

type Answer = Response<UnsyncBoxBody<Bytes, io::Error>>;

impl Server {
    pub(crate) fn start(seed: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(FileSystem::new(root.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = service.build();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let door = Arc::new(Door { random: AtomicU64::new(seed), ..Door::default() });
        let own = Arc::clone(&door);
        runtime.spawn(async move {
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let (service, door) = (service.clone(), Arc::clone(&own));
                tokio::spawn(async move {
                    let handle =
                        service_fn(move |request| answer(request, service.clone(), Arc::clone(&door)));
                    let http = hyper::server::conn::http1::Builder::new();
                    let _ = http.serve_connection(TokioIo::new(socket), handle).await;
                });
            }
        });
        Self { endpoint, door, root, runtime: Some(runtime) }
    }

    pub(crate) fn remote(&self, prefix: &str) -> Remote {
        self.client(prefix, SECRET, PATIENCE)
    }

    /// A client that does not wait for [`Fault::Late`].
    pub(crate) fn impatient_remote(&self, prefix: &str) -> Remote {
        self.client(prefix, SECRET, IMPATIENCE)
    }

    pub(crate) fn client(&self, prefix: &str, secret: &str, patience: Duration) -> Remote {
        let client = ClientOptions::new().with_allow_http(true).with_timeout(patience);
        let store = AmazonS3Builder::new()
            .with_endpoint(&self.endpoint)
            .with_bucket_name(BUCKET)
            .with_region("us-east-1")
            .with_access_key_id(KEY)
            .with_secret_access_key(secret)
            .with_client_options(client)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .build()
            .unwrap();
        let pause = Duration::from_millis(1);
        let retries = Retries { attempts: 5, pause, longest_pause: pause * 8, time_limit: patience };
        Remote::new(Arc::new(store), prefix).unwrap().retries(retries)
    }

    /// The variables with which a program finds it.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint.clone()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
            ("AWS_REGION", "us-east-1".to_owned()),
        ]
    }

    pub(crate) fn url(&self, prefix: &str) -> String {
        format!("s3://{BUCKET}/{prefix}")
    }

    /// Where the objects of a prefix are.
    pub(crate) fn folder(&self, prefix: &str) -> PathBuf {
        self.root.path().join(BUCKET).join(prefix)
    }

    /// With so many of a thousand requests failing.
    pub(crate) fn with_faults<T>(&self, per_mille: u64, work: impl FnOnce() -> T) -> T {
        self.door.per_mille.store(per_mille, Ordering::Relaxed);
        let done = work();
        self.door.per_mille.store(0, Ordering::Relaxed);
        done
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn answer(request: Request<Incoming>, service: S3Service, door: Arc<Door>) -> io::Result<Answer> {
    let fault = door.next_fault();
    let reset = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
    let status = |code: u16| Ok(Response::builder().status(code).body(body(vec![])).unwrap());
    match fault {
        Some(Fault::Unavailable) => return status(503),
        Some(Fault::Reset) => return reset(),
        _ => {}
    }
    let conditional = request.headers().contains_key("if-none-match");
    let length = request.headers().get("content-length").and_then(|value| value.to_str().ok()?.parse().ok());
    door.bytes_in.fetch_add(length.unwrap_or(0), Ordering::Relaxed);
    let done = match conditional {
        false => service.call(request.map(s3s::Body::from)).await,
        true => {
            let _one_at_a_time = door.conditional.lock().await;
            service.call(request.map(s3s::Body::from)).await
        }
    };
    let (head, content) = done.map_err(|error| io::Error::other(format!("{error:?}")))?.into_parts();
    let content = content.collect().await.map_err(io::Error::other)?.to_bytes();
    door.bytes_out.fetch_add(content.len() as u64, Ordering::Relaxed);
    let half = content.slice(..content.len() / 2);
    match fault {
        Some(Fault::DoneAndFailed) => return status(500),
        Some(Fault::DoneAndReset) => return reset(),
        Some(Fault::Late) => tokio::time::sleep(IMPATIENCE * 3).await,
        Some(Fault::CutOff) if head.status.is_success() && !content.is_empty() => {
            let mut head = head;
            head.headers.insert("content-length", content.len().into());
            let parts = vec![Ok(half), Err(io::ErrorKind::ConnectionReset.into())];
            return Ok(Response::from_parts(head, body(parts)));
        }
        Some(Fault::Changed) if head.status.is_success() && !content.is_empty() => {
            let mut changed = content.to_vec();
            changed[content.len() / 2] ^= 0x10;
            return Ok(Response::from_parts(head, body(vec![Ok(changed.into())])));
        }
        _ => {}
    }
    Ok(Response::from_parts(head, body(vec![Ok(content)])))
}

fn body(parts: Vec<io::Result<Bytes>>) -> UnsyncBoxBody<Bytes, io::Error> {
    let frames = parts.into_iter().map(|part| part.map(Frame::data));
    StreamBody::new(futures_util::stream::iter(frames)).boxed_unsync()
}

/// Makes everything below a folder look as if it was written so long ago.
pub(crate) fn age(folder: &Path, by: Duration) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, by);
        } else {
            let written = std::time::SystemTime::now() - by;
            std::fs::File::options().write(true).open(&path).unwrap().set_modified(written).unwrap();
        }
    }
}
