//! `web`: what the page's server answers, what it refuses, and that nothing keeps it waiting; over real sockets.

use crate::support::{Place, documents, lucerne};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
    token: String,
}

/// A response: its status, its head in lower case, its body.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Server {
    fn of(dir: &Path) -> Self {
        let mut command = Command::new(lucerne().get_program());
        command.arg("web").arg(dir).arg("--json").stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let printed: Value = serde_json::from_str(&line).unwrap();
        let url = printed["url"].as_str().unwrap();
        let (port, token) = url.strip_prefix("http://127.0.0.1:").unwrap().split_once('/').unwrap();
        Self { child, port: port.parse().unwrap(), token: token.trim_end_matches('/').to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        stream
    }

    /// Sends bytes as they are, and reads to the end.
    fn send(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        // A server that refuses early may close before all is sent.
        let _refused = stream.write_all(request.as_bytes());
        read(stream)
    }

    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn get(&self, path: &str, headers: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n",
            self.host()
        ))
    }

    fn post(&self, path: &str, headers: &str, body: &str) -> Answer {
        let (host, length) = (self.host(), body.len());
        self.send(&format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
    }

    fn ask(&self, view: &str, question: &Value) -> Answer {
        self.post(&format!("/{}/api/{view}", self.token), "", &question.to_string())
    }

    #[track_caller]
    fn view(&self, view: &str, question: Value) -> Value {
        let answer = self.ask(view, &question);
        assert_eq!(answer.status, 200, "{view} {question}: {}", answer.body);
        answer.json()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A reset after a refusal leaves what came before it.
    let _reset = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

fn small_server() -> (Place, Server) {
    let place = Place::small();
    place.import(&documents(20), "").expect(0);
    let server = Server::of(&place.dir());
    (place, server)
}

#[test]
fn the_page_and_its_views_are_served_with_headers_that_allow_nothing_else() {
    let (_place, server) = small_server();
    let page = server.get(&format!("/{}/", server.token), "");
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with("<!doctype html>"));
    for header in ["default-src 'none'", "frame-ancestors 'none'", "no-store", "no-referrer", "nosniff"] {
        assert!(page.head.contains(header), "{header} is missing: {}", page.head);
    }
    // Nothing is loaded from elsewhere.
    for file in page.body.split(['"', '\'']).filter(|file| file.ends_with(".js") || file.ends_with(".css")) {
        let answer = server.get(&format!("/{}/{file}", server.token), "");
        assert_eq!(answer.status, 200, "{file}");
        assert!(!answer.body.contains("https://"), "{file}");
    }
    assert_eq!(
        server.view("state", Value::Null),
        json!({ "generation": 2, "docs": 20, "segments": 1, "under_way": [] })
    );
}

#[test]
fn strangers_are_refused() {
    let (_place, server) = small_server();
    let (own, state) = (format!("/{}/", server.token), format!("/{}/api/state", server.token));
    let with_host =
        |host: &str| server.send(&format!("GET {own} HTTP/1.1\r\nConnection: close\r\n{host}\r\n")).status;
    // A name that somebody has made resolve to this machine.
    assert_eq!(with_host(&format!("Host: example.org:{}\r\n", server.port)), 421);
    assert_eq!(with_host("Host: 127.0.0.1\r\n"), 421);
    assert_eq!(with_host("Host: 127.0.0.1:1\r\n"), 421);
    assert_eq!(with_host(""), 421);
    let twice = format!("Host: {}\r\nHost: example.org\r\n", server.host());
    assert_eq!(with_host(&twice), 421);
    assert_eq!(with_host(&format!("Host: localhost:{}\r\n", server.port)), 200);
    // No token, a wrong one, a part of it.
    for path in ["/", "/api/state", "/0123456789abcdef0123456789abcdef/", "//", "/style.css"] {
        assert_eq!(server.get(path, "").status, 404, "{path}");
    }
    assert_eq!(server.get(&format!("/{}/", &server.token[..31]), "").status, 404);
    // Requests that a browser sends for a page of another site, even one that knows the token.
    for header in [
        "Origin: https://example.org",
        "Origin: null",
        "Sec-Fetch-Site: cross-site",
        "Sec-Fetch-Site: same-site",
    ] {
        assert_eq!(server.post(&state, &format!("{header}\r\n"), "null").status, 403, "{header}");
        assert_eq!(server.get(&own, &format!("{header}\r\n")).status, 403, "{header}");
    }
    let own_origin = format!("Origin: http://{}\r\nSec-Fetch-Site: same-origin\r\n", server.host());
    assert_eq!(server.post(&state, &own_origin, "null").status, 200);
    // Other methods, and no answer that another origin may read.
    assert_eq!(server.get(&state, "").status, 405);
    assert_eq!(server.post(&own, "", "").status, 405);
    let options = server.send(&format!(
        "OPTIONS {state} HTTP/1.1\r\nConnection: close\r\nHost: {}\r\nOrigin: https://example.org\r\n\r\n",
        server.host()
    ));
    assert_eq!(options.status, 403);
    assert!(!options.head.contains("access-control"), "{}", options.head);
}

#[test]
fn no_path_leads_to_a_file() {
    let (_place, server) = small_server();
    for path in [
        "../Cargo.toml",
        "..%2fCargo.toml",
        "%2e%2e/%2e%2e/etc/passwd",
        "/etc/passwd",
        "./style.css",
        "style.css/",
        "STYLE.CSS",
        "api",
        "style.css%00",
        "..\\..\\x",
        "segments_2",
    ] {
        let answer = server.get(&format!("/{}/{path}", server.token), "");
        assert!(matches!(answer.status, 400 | 404), "{path}: {}", answer.status);
        assert!(!answer.body.contains("root:"), "{path}");
    }
    let unknown = server.ask("nothing", &Value::Null);
    assert_eq!((unknown.status, &unknown.json()["error"]), (400, &"there is no view \"nothing\"".into()));
    // The console takes no argument that names a file.
    for search in [
        json!({ "vector-file": "/etc/passwd", "knn": "e" }),
        json!({ "param": "v=@/etc/passwd", "query": "*:*" }),
        json!({ "max-sim": "e:/etc/passwd", "query": "*:*" }),
        json!({ "at": "1", "query": "*:*" }),
        json!({ "query": ["a", 1, {}] }),
    ] {
        let answer = server.ask("search", &json!({ "search": search }));
        assert_eq!(answer.status, 400, "{search}: {}", answer.body);
        assert!(answer.json()["error"].is_string());
    }
}

#[test]
fn large_and_broken_requests_are_refused() {
    let (_place, server) = small_server();
    let megabyte = "x".repeat(1 << 20);
    let search = json!({ "search": { "query": megabyte } });
    assert_eq!(server.ask("search", &search).status, 413);
    // The same without its length.
    let chunk = format!("{:x}\r\n{megabyte}\r\n0\r\n\r\n", megabyte.len());
    let chunked = format!(
        "POST /{}/api/search HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}",
        server.token,
        server.host()
    );
    assert_eq!(server.send(&chunked).status, 413);
    let long = server.get(&format!("/{}/{megabyte}", server.token), "").status;
    assert!(matches!(long, 0 | 400 | 414 | 431), "{long}");
    let headers = server.get("/", &format!("X: {megabyte}\r\n")).status;
    assert!(matches!(headers, 0 | 400 | 431), "{headers}");
    for broken in ["", "\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\r\n\r\n"] {
        let mut stream = server.connect();
        stream.write_all(broken.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert!(matches!(read(stream).status, 0 | 400), "{broken:?}");
    }
    for question in ["{", "[1, 2", "{\"field\": 7}", "\"text\"", "{\"search\": 3}"] {
        let path = |view: &str| format!("/{}/api/{view}", server.token);
        for view in ["vectors", "document", "search", "why"] {
            assert_eq!(server.post(&path(view), "", question).status, 400, "{view} {question}");
        }
    }
    let deep = format!("{{\"search\":{{\"query\":{}1{}}}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(server.post(&format!("/{}/api/search", server.token), "", &deep).status, 400);
    assert_eq!(server.view("state", Value::Null)["docs"], 20);
}

#[test]
fn slow_clients_are_cut_off_and_others_are_answered_meanwhile() {
    let (_place, server) = small_server();
    let half = format!("GET /{}/ HTTP/1.1\r\nHost: ", server.token);
    let started = Instant::now();
    let slow: Vec<TcpStream> = (0..20)
        .map(|client| {
            let mut stream = server.connect();
            let body = format!(
                "POST /{}/api/state HTTP/1.1\r\nHost: {}\r\nContent-Length: 9\r\n\r\n{{",
                server.token,
                server.host()
            );
            stream.write_all(if client % 2 == 0 { half.as_bytes() } else { body.as_bytes() }).unwrap();
            stream
        })
        .collect();
    assert_eq!(server.view("state", Value::Null)["docs"], 20);
    assert!(started.elapsed() < Duration::from_secs(4), "others waited {:?}", started.elapsed());
    for stream in slow {
        let status = read(stream).status;
        assert!(matches!(status, 0 | 408), "{status}");
    }
    assert!(started.elapsed() < Duration::from_secs(25), "{:?}", started.elapsed());
}

#[test]
fn many_requests_at_a_time_are_all_answered() {
    let place = Place::sample(300, "--flush-docs 100");
    let server = Server::of(&place.dir());
    let questions = [
        ("overview", Value::Null),
        ("figures", json!({ "field": "embedding" })),
        ("distances", json!({ "field": "embedding" })),
        ("projection", json!({ "field": "embedding" })),
        ("values", json!({ "field": "description" })),
        ("search", json!({ "search": { "query": "library", "facet": ["section"], "explain": true } })),
    ];
    thread::scope(|scope| {
        for client in 0..12 {
            let (server, questions) = (&server, &questions);
            scope.spawn(move || {
                for (view, question) in questions.iter().cycle().skip(client).take(questions.len()) {
                    server.view(view, question.clone());
                }
            });
        }
    });
}

#[test]
fn each_view_shows_what_the_command_line_says() {
    let place = Place::sample(900, "--flush-docs 450 --no-merge");
    let server = Server::of(&place.dir());
    let facts = place.run("inspect @ --json").expect(0).json();
    let overview = server.view("overview", Value::Null);
    for name in ["generation", "docs", "deleted", "bytes", "schema", "defaults"] {
        assert_eq!(overview[name], facts[name], "{name}");
    }
    // What takes the space is all of it.
    for (row, segment) in
        overview["segments"].as_array().unwrap().iter().zip(facts["segments"].as_array().unwrap())
    {
        let parts = row["parts"].as_object().unwrap().values().map(|bytes| bytes.as_u64().unwrap());
        assert_eq!(parts.sum::<u64>(), segment["bytes"].as_u64().unwrap());
        assert_eq!(server.view("segment", json!({ "name": row["name"] })), *segment);
    }
    assert_eq!(overview["coverage"]["embedding"], 900);
    let plan = place.run("force-merge @ --dry-run --json").expect(0).json();
    let planned = server.view("plan", json!({ "max_segments": 1 }));
    assert_eq!(planned["merges"], plan["plan"]);
    let figures = server.view("figures", json!({ "field": "embedding" }));
    let codes: Vec<u64> = serde_json::from_value(figures["segments"][0]["figures"]["codes"].clone()).unwrap();
    assert_eq!((codes.len(), codes.iter().sum::<u64>()), (256, 450 * 384));
    let error = &figures["segments"][0]["figures"]["code_error"];
    assert!(error["median"].as_f64() > Some(0.0) && error["worst"].as_f64() < Some(0.1), "{error}");
    let distances = server.view("distances", json!({ "field": "embedding" }));
    assert_eq!(distances["ranks"][2]["rank"], 100);
    assert!(distances["ranks"][0]["distances"][0].as_f64() <= distances["ranks"][1]["distances"][0].as_f64());
    let projection = server.view("projection", json!({ "field": "embedding" }));
    assert_eq!(projection["points"].as_array().unwrap().len(), 600);
    let sections = server.view("values", json!({ "field": "section" }));
    let counted = place.run("search @ --query *:* --facet section:1 --json").expect(0).json();
    assert_eq!(sections["terms"][0]["docs"], counted["aggregations"]["section"]["buckets"][0]["doc_count"]);
    let sizes = server.view("values", json!({ "field": "size" }));
    let bars = sizes["bars"]["buckets"].as_array().unwrap().iter();
    assert_eq!(bars.map(|bar| bar["doc_count"].as_u64().unwrap()).sum::<u64>(), 900);
}

#[test]
fn the_console_searches_as_the_command_line_does() {
    let place = Place::sample(400, "");
    let server = Server::of(&place.dir());
    let key = server.view("search", json!({ "search": { "query": "*:*", "limit": "1" } }));
    let key = key["found"]["hits"][0]["key"].as_str().unwrap().to_owned();
    let document = server.view("document", json!({ "key": key }));
    assert_eq!((&document["found"], &document["fields"]["name"]), (&true.into(), &Value::from(&*key)));
    assert_eq!(document["vectors"]["embedding"]["neighbors"].as_array().unwrap().len(), 10);
    assert!(document["terms"]["short"].as_array().unwrap().len() > 1);
    assert_eq!(server.view("document", json!({ "key": "no such" }))["found"], false);
    for (search, line) in [
        (
            json!({ "query": "library -section:devel", "limit": 5, "fields": "short,size" }),
            "--query library\u{a0}-section:devel -k 5 --fields short,size",
        ),
        (
            json!({ "knn": "embedding", "like": key, "exact": true, "filter": "size:>1000" }),
            &*format!("--knn embedding --like {key} --exact --filter size:>1000"),
        ),
        (
            json!({ "query": "library", "knn": "embedding", "like": key, "hybrid": "rrf" }),
            &*format!("--query library --knn embedding --like {key} --hybrid"),
        ),
    ] {
        let found = server.view("search", json!({ "search": search }));
        let words = line.split(' ').map(|word| word.replace('\u{a0}', " "));
        let mut command = lucerne();
        command.arg("search").arg(place.dir()).args(words).arg("--json");
        let expected = crate::support::run(&mut command).expect(0).json();
        assert_eq!(found["found"]["hits"], expected["hits"], "{line}");
        // The call that is shown is one.
        let call: Vec<String> = serde_json::from_value(found["call"].clone()).unwrap();
        let mut shown = lucerne();
        shown.args(&call[1..]).arg("--json");
        assert_eq!(crate::support::run(&mut shown).expect(0).json()["hits"], expected["hits"], "{call:?}");
    }
    let why = server.view("why", json!({ "search": { "query": "zyxxyz" }, "key": key }));
    assert_eq!(why["explanation"]["matches"], false);
    let marked =
        server.view("search", json!({ "search": { "query": "library", "highlight": ["description"] } }));
    assert!(marked.to_string().contains("\\u0001"), "{marked}");
    let wrong = server.ask("search", &json!({ "search": { "query": "nosuch:1" } }));
    let said = place.run("search @ --query nosuch:1").expect(2).err;
    assert_eq!(wrong.status, 400);
    assert!(said.contains(wrong.json()["error"].as_str().unwrap()), "{said}");
}

#[test]
fn the_page_follows_commits_and_merges_while_they_happen() {
    let place = Place::small();
    let server = Server::of(&place.dir());
    assert_eq!(server.view("overview", Value::Null)["segments"], json!([]));
    assert_eq!(server.view("plan", json!({ "max_segments": 1 }))["merges"], json!([]));
    for round in 1..=4 {
        let documents: String = (0..60)
            .map(|at| format!("{{\"name\":\"{round}-{at}\",\"size\":{at},\"e\":[{at},{round}]}}\n"))
            .collect();
        place.import(&documents, "--no-merge").expect(0);
        assert_eq!(server.view("state", Value::Null)["docs"], 60 * round);
        assert_eq!(server.view("overview", Value::Null)["segments"].as_array().unwrap().len(), round);
    }
    // A writer has the lock while views are asked for: they need none.
    thread::scope(|scope| {
        let merge = scope.spawn(|| place.run("force-merge @").expect(0));
        while !merge.is_finished() {
            let plan = server.view("plan", json!({ "max_segments": 1 }));
            assert!(plan["merges"].as_array().unwrap().len() <= 1);
            assert_eq!(server.view("search", json!({ "search": { "query": "*:*", "total": true } }))["found"]["hits"].as_array().unwrap().len(), 10);
        }
    });
    let merged = server.view("overview", Value::Null);
    assert_eq!(merged["segments"][0]["merge"]["sources"].as_array().unwrap().len(), 4);
    assert_eq!(server.view("check", Value::Null)["problems"], json!([]));
}

#[test]
fn a_damaged_index_is_shown_as_damaged() {
    let place = Place::small();
    place.import(&documents(50), "").expect(0);
    let commit = place.dir().join("segments_2");
    let (whole, mut damaged) = (std::fs::read(&commit).unwrap(), std::fs::read(&commit).unwrap());
    let middle = damaged.len() / 2;
    damaged[middle] ^= 4;
    std::fs::write(&commit, damaged).unwrap();
    let server = Server::of(&place.dir());
    assert_eq!(server.get(&format!("/{}/", server.token), "").status, 200);
    let answer = server.ask("overview", &Value::Null);
    assert_eq!(answer.status, 500);
    assert!(answer.json()["error"].as_str().unwrap().contains("segments_2"), "{}", answer.body);
    assert!(answer.json()["hint"].as_str().unwrap().contains("lucerne check"), "{}", answer.body);
    // It is looked at again once it is whole.
    std::fs::write(&commit, whole).unwrap();
    assert_eq!(server.view("state", Value::Null)["docs"], 50);
    // Damage that only reading every byte finds.
    let stored = std::fs::read_dir(place.dir()).unwrap().map(|entry| entry.unwrap().path());
    let stored = stored.into_iter().find(|path| path.extension().is_some_and(|it| it == "stored")).unwrap();
    let mut bytes = std::fs::read(&stored).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(&stored, bytes).unwrap();
    assert_eq!(server.view("check", Value::Null)["problems"].as_array().unwrap().len(), 1);
}

#[test]
fn what_is_no_index_is_an_error_of_the_command() {
    let place = Place::new();
    let ran = place.run("web nothing.idx").expect(3);
    assert!(ran.err.contains("nothing.idx") && ran.out.is_empty(), "{ran:?}");
    let place = Place::small();
    let server = Server::of(&place.dir());
    let taken = place.run(&format!("web @ --port {}", server.port)).expect(3);
    assert!(taken.err.contains("cannot listen on 127.0.0.1"), "{taken:?}");
}
