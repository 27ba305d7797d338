//! `gotrail record`, and addresses where files are meant, against a server of the test's own: what is kept, what is said,
//! which exit code, and that no secret gets anywhere.

use assert_cmd::Command;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const TRACE: &str = "sample-traces/trace.out";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> Vec<u8> {
    fs::read(root().join(name)).unwrap()
}

/// What a server does with a request of a path, with its query, and of a text of headers.
type Handler = dyn Fn(&str, &str, &mut dyn Write) + Send + Sync;

fn answer(to: &mut dyn Write, status: &str, body: &[u8]) {
    // Whoever has had enough closes the connection.
    let _ = write!(to, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = to.write_all(body);
}

fn chunk(to: &mut dyn Write, bytes: &[u8]) {
    let _ = write!(to, "{:x}\r\n", bytes.len());
    let _ = to.write_all(bytes);
    let _ = to.write_all(b"\r\n");
    let _ = to.flush();
}

fn chunked(to: &mut dyn Write) {
    let _ = to.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

fn serve_one(stream: impl Read + Write, handler: &Handler) {
    let mut from = BufReader::new(stream);
    let (mut first, mut headers) = (String::new(), String::new());
    if from.read_line(&mut first).is_err() {
        return;
    }
    while from.read_line(&mut headers).is_ok_and(|n| n > 2) {}
    let path = first.split(' ').nth(1).unwrap_or("").to_owned();
    handler(&path, &headers, from.get_mut());
}

/// Serves as long as the test runs; the address.
fn serve(handler: impl Fn(&str, &str, &mut dyn Write) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handler: Arc<Handler> = Arc::new(handler);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let handler = Arc::clone(&handler);
            std::thread::spawn(move || serve_one(stream, &*handler));
        }
    });
    address.to_string()
}

/// What `net/http/pprof` serves.
fn pprof(path: &str, to: &mut dyn Write) {
    match path.rsplit('/').next().unwrap_or("").split('?').next().unwrap_or("") {
        "cmdline" => answer(to, "200 OK", "./srv\0-addr=:6060\0--password\0pw-in-args\0\u{202e}x".as_bytes()),
        "trace" => {
            let data = sample(TRACE);
            chunked(to);
            data.chunks(100_000).for_each(|c| chunk(to, c));
            chunk(to, b"");
        }
        "profile" => answer(to, "200 OK", &sample("sample-traces/cpu.pb.gz")),
        "goroutine" if path.contains("debug=2") => answer(to, "200 OK", b"goroutine 1 [running]:\n"),
        "heap" | "mutex" | "block" | "goroutine" => answer(to, "200 OK", &sample("sample-traces/heap.pb.gz")),
        _ => answer(to, "404 Not Found", b"404 page not found\n"),
    }
}

struct Ran {
    code: i32,
    out: String,
    err: String,
}

fn gotrail(args: &[&str]) -> Ran {
    let mut c = Command::new(env!("CARGO_BIN_EXE_gotrail"));
    let out = c.current_dir(root()).args(args).env("GOTRAIL_CACHE", "").output().unwrap();
    let text = |b: &[u8]| String::from_utf8_lossy(b).into_owned();
    Ran { code: out.status.code().unwrap(), out: text(&out.stdout), err: text(&out.stderr) }
}

fn record(url: &str, folder: &Path, more: &[&str]) -> Ran {
    let folder = folder.to_str().unwrap();
    gotrail(&[&["record", url, "--no-open", "-o", folder], more].concat())
}

/// A folder that is not there yet.
fn fresh(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("rec")
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("gotrail.json")).unwrap()).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let mut all: Vec<_> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn a_recording_is_a_folder_that_opens() {
    let dir = tempfile::tempdir().unwrap();
    let folder = fresh(&dir);
    let host = serve(|path, _, to| pprof(path, to));
    let ran = record(&format!("http://{host}"), &folder, &["--seconds", "3", "--rate", "12 req/s"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert!(ran.out.contains("trace.out") && ran.out.contains("tracing wrote "), "{}", ran.out);
    let all = "block.pb.gz cpu.pb.gz goroutine.pb.gz goroutines.txt gotrail.json heap-after.pb.gz heap-before.pb.gz \
               mutex.pb.gz trace.out";
    assert_eq!(names(&folder).join(" "), all);
    assert_eq!(fs::read(folder.join("trace.out")).unwrap(), sample(TRACE));
    let m = manifest(&folder);
    assert_eq!(m["url"], format!("http://{host}/debug/pprof"));
    assert_eq!(m["command"], serde_json::json!(["./srv", "-addr=:6060", "--password", "***", "\u{202e}x"]));
    assert!(!fs::read_to_string(folder.join("gotrail.json")).unwrap().contains('\u{202e}'), "it turns a line around");
    assert_eq!((&m["trace_format"], &m["seconds"], &m["rate"]), (&"1.26".into(), &3.into(), &"12 req/s".into()));
    assert_eq!(m["files"].as_array().unwrap().len(), 8);
    assert_eq!(m["failed"], serde_json::json!([]));
    // The folder opens as a whole, and says nothing of its manifest.
    let shown = gotrail(&["snapshot", folder.to_str().unwrap(), "--size", "120x30"]);
    assert_eq!((shown.code, shown.err.as_str()), (0, ""));
    assert!(shown.out.contains("trace.out + 6 more files"), "{}", shown.out);
    // Nothing is overwritten.
    let again = record(&format!("http://{host}"), &folder, &[]);
    assert_eq!(again.code, 2);
    assert!(again.err.contains("nothing is overwritten"), "{}", again.err);
}

#[test]
fn manifests_are_what_their_schema_says() {
    let dir = tempfile::tempdir().unwrap();
    let host = serve(|path, _, to| pprof(path, to));
    record(&format!("http://{host}"), &fresh(&dir), &["--seconds", "1"]);
    let schema: Value = serde_json::from_str(&gotrail(&["schema", "recording"]).out).unwrap();
    let m = manifest(&fresh(&dir));
    let keys = |v: &Value| v.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&m), keys(&schema["properties"]));
    assert_eq!(keys(&m["files"][0]), keys(&schema["$defs"]["File"]["properties"]));
}

#[test]
fn secrets_are_sent_and_get_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let folder = fresh(&dir);
    let host = serve(|path, headers, to| {
        // "user:hunter22" in base64.
        let fine = headers.contains("Basic dXNlcjpodW50ZXIyMg==") && headers.contains("sesame99");
        match path {
            _ if !fine || !path.contains("token=tok-123") => answer(to, "401 Unauthorized", b"no\n"),
            // A server may say back what it was sent.
            _ if path.contains("/mutex") => {
                answer(to, "500 Internal", b"bad: hunter22 dXNlcjpodW50ZXIyMg== tok-123 sesame99 \x1b[31m\n");
            }
            _ => pprof(path, to),
        }
    });
    let url = format!("http://user:hunter22@{host}/?token=tok-123");
    let ran = record(&url, &folder, &["--seconds", "1", "-H", "X-Api-Key: sesame99"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.err.contains("mutex: 500, bad: *** *** *** ***"), "{}", ran.err);
    let mut all = ran.out + &ran.err;
    for name in names(&folder) {
        all += &String::from_utf8_lossy(&fs::read(folder.join(name)).unwrap());
    }
    let shown = gotrail(&["top", &format!("http://user:hunter22@{host}/debug/pprof/nothing?token=tok-123")]);
    assert_eq!(shown.code, 3);
    all += &(shown.out + &shown.err);
    for secret in ["hunter22", "dXNlcjpodW50ZXIyMg", "tok-123", "sesame99", "\x1b[31m", "pw-in-args"] {
        assert!(!all.contains(secret), "{secret}");
    }
    // Without the login.
    let ran = record(&format!("http://{host}"), &dir.path().join("other"), &[]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("401, the server wants a login"), "{}", ran.err);
    assert!(!dir.path().join("other").exists());
}

#[test]
fn what_one_endpoint_refuses_the_others_still_give() {
    let dir = tempfile::tempdir().unwrap();
    let host = serve(|path, _, to| match path {
        _ if path.contains("/trace") => {
            let text = b"Could not enable tracing: tracing is already enabled\n";
            answer(to, "500 Internal Server Error", text);
        }
        _ => pprof(path, to),
    });
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--seconds", "1"]);
    assert_eq!(ran.code, 3);
    let said = "trace: 500, Could not enable tracing: tracing is already enabled: someone else is recording it";
    assert!(ran.err.contains(said), "{}", ran.err);
    assert!(!fresh(&dir).join("trace.out").exists());
    assert_eq!(manifest(&fresh(&dir))["failed"][0]["what"], "trace");
    assert_eq!(gotrail(&["top", fresh(&dir).join("cpu.pb.gz").to_str().unwrap()]).code, 0);
}

#[test]
fn a_trace_that_breaks_off_is_kept_and_opens() {
    let dir = tempfile::tempdir().unwrap();
    let host = serve(|path, _, to| match path {
        _ if path.contains("/trace") => {
            chunked(to);
            chunk(to, &sample(TRACE)[..600_000]);
        }
        _ => pprof(path, to),
    });
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--seconds", "1"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("trace: the answer was cut off after 585.94kB"), "{}", ran.err);
    let trace = fresh(&dir).join("trace.out");
    assert_eq!(fs::metadata(&trace).unwrap().len(), 600_000);
    assert_eq!(gotrail(&["summary", trace.to_str().unwrap()]).code, 0);
    assert!(fresh(&dir).join("heap-after.pb.gz").exists());
    // The same where a file is meant.
    let ran = gotrail(&["summary", &format!("http://{host}/debug/pprof/trace?seconds=1")]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.contains("the answer was cut off after 585.94kB"), "{}", ran.err);
}

#[test]
fn of_a_program_that_dies_is_kept_what_was_had() {
    let dir = tempfile::tempdir().unwrap();
    let dead = std::sync::atomic::AtomicBool::new(false);
    let host = serve(move |path, _, to| {
        if path.contains("/trace") {
            chunked(to);
            chunk(to, &sample(TRACE)[..600_000]);
            dead.store(true, std::sync::atomic::Ordering::SeqCst);
        } else if path.contains("/profile") || dead.load(std::sync::atomic::Ordering::SeqCst) {
            // Nothing: the connection ends.
        } else {
            pprof(path, to);
        }
    });
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--seconds", "1"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("profile: the server closed the connection before it answered"), "{}", ran.err);
    assert!(ran.err.contains("the server is gone"), "{}", ran.err);
    assert_eq!(names(&fresh(&dir)), ["gotrail.json", "heap-before.pb.gz", "trace.out"]);
}

#[test]
fn a_server_that_is_none_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = serve(|_, _, to| drop(to.write_all(b"SSH-2.0-OpenSSH_9.2\r\n")));
    let elsewhere = serve(|_, _, to| {
        let _ = to.write_all(
            b"HTTP/1.1 302 Found\r\nLocation: https://u:pw@other.example/x?t=s\r\nContent-Length: 0\r\n\r\n",
        );
    });
    let empty = serve(|_, _, to| answer(to, "404 Not Found", b"404 page not found\n"));
    for (url, said) in [
        (format!("http://{closed}"), "nothing listens there: connection refused"),
        (format!("http://{silent}"), "what answers there does not speak HTTP"),
        (format!("http://{elsewhere}"), "302, it is at another address: https://other.example/x?t=***"),
        (format!("http://{empty}"), "404, nothing has this path: does the program import net/http/pprof"),
        ("unix:/no/such.sock".into(), "cannot connect: No such file or directory"),
        #[cfg(not(feature = "tls"))]
        ("https://127.0.0.1:1".into(), "built without TLS"),
    ] {
        let ran = record(&url, &fresh(&dir), &["--seconds", "1"]);
        assert_eq!(ran.code, 3, "{url}: {}", ran.err);
        assert!(ran.err.contains(said), "{url}: {}", ran.err);
        assert!(!fresh(&dir).exists(), "{url}");
    }
    for wrong in [&["record", "trace.out"][..], &["record", "http://h", "-H", "sesame"]] {
        let ran = gotrail(wrong);
        assert_eq!(ran.code, 2, "{}", ran.err);
        assert!(!ran.err.contains("sesame"), "{}", ran.err);
    }
}

#[cfg(unix)]
#[test]
fn servers_on_unix_sockets_and_below_other_paths_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("app.sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let below = |path: &str, _: &str, to: &mut dyn Write| match path.starts_with("/svc/x/") {
                true if !path.contains("debug/pprof") => pprof(path, to),
                _ => answer(to, "404 Not Found", b""),
            };
            std::thread::spawn(move || serve_one(stream, &below));
        }
    });
    let ran = record(&format!("unix:{}:/svc/x", socket.display()), &fresh(&dir), &["--seconds", "1"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&fresh(&dir)).len(), 9);
    let ran = gotrail(&["top", &format!("unix:{}:/svc/x/heap", socket.display())]);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn an_address_is_as_good_as_a_file() {
    let host = serve(|path, _, to| pprof(path, to));
    let name = |end: &str| format!("http://{host}/debug/pprof/{end}");
    let file = gotrail(&["top", "sample-traces/heap.pb.gz"]);
    let there = gotrail(&["top", &name("heap")]);
    assert_eq!((there.code, there.out), (0, file.out));
    let there = gotrail(&["locks", &name("trace?seconds=1"), "--limit", "3"]);
    assert_eq!((there.code, there.out), (0, gotrail(&["locks", TRACE, "--limit", "3"]).out));
    let shown = gotrail(&["snapshot", &name("trace"), &name("profile"), "--size", "120x30"]);
    assert!(shown.out.contains(&format!("trace of {host} + profile of {host}")), "{}", shown.out);
    let none = gotrail(&["top", &name("nothing")]);
    assert_eq!(none.code, 3);
    assert!(none.err.contains(&format!("{}: 404, nothing has this path", name("nothing"))), "{}", none.err);
}

/// A server that sends the sample and then `tail`, and never ends.
fn in_generations(tail: &'static [u8]) -> String {
    serve(move |path, _, to| match path {
        _ if path.contains("/trace") => {
            chunked(to);
            sample(TRACE).chunks(50_000).for_each(|c| chunk(to, c));
            chunk(to, tail);
            // Never the end: it is the client who has enough.
            loop {
                std::thread::park();
            }
        }
        _ => pprof(path, to),
    })
}

#[test]
fn a_ring_ends_when_what_it_waits_for_has_happened() {
    let dir = tempfile::tempdir().unwrap();
    let host = in_generations(b"\x01\x09");
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--keep", "100s", "--until", "task:payment dur>50ms"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("ended by an event that answers the query"), "{}", ran.out);
    let trace = fresh(&dir).join("trace.out");
    // What was kept is the beginning of what was sent, without the generation that is not whole.
    let (kept, sent) = (fs::read(&trace).unwrap(), sample(TRACE));
    assert!(sent.starts_with(&kept) && !kept.is_empty());
    assert_eq!(gotrail(&["summary", trace.to_str().unwrap()]).code, 0);
    let m = manifest(&fresh(&dir));
    assert_eq!(m["ended_by"], "an event that answers the query");
    assert!(m["trace_bytes_per_second"].as_u64().unwrap() > 0);
}

#[test]
fn a_ring_that_waits_in_vain_keeps_its_last_generations() {
    let dir = tempfile::tempdir().unwrap();
    let host = serve(|path, _, to| pprof(path, to));
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--keep", "1ms", "--until", "no.such.function"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let (m, kept) = (manifest(&fresh(&dir)), fs::read(fresh(&dir).join("trace.out")).unwrap());
    assert_eq!(m["generations"][0], m["generations"][1]);
    assert!(kept.len() < sample(TRACE).len() && sample(TRACE).ends_with(&kept[16..]) && kept.starts_with(b"go 1.26 "));
    // Most of its goroutines were blocked before it began: for what, it does not say.
    let of = |query: &str| gotrail(&["events", fresh(&dir).join("trace.out").to_str().unwrap(), "--filter", query]);
    assert_eq!((of("reason:sleep").code, of("reason:nothing").code), (0, 1));
    // One of Go 1.21 or earlier has no generations.
    let old = serve(|path, _, to| match path {
        _ if path.contains("/trace") => answer(to, "200 OK", b"go 1.21 trace\0\0\0rest"),
        _ => pprof(path, to),
    });
    let ran = record(&format!("http://{old}"), &dir.path().join("old"), &["--keep", "1s"]);
    assert_eq!(ran.code, 3);
    assert!(ran.err.contains("a ring needs Go 1.22 or later"), "{}", ran.err);
}

#[test]
fn a_series_is_numbered_folders() {
    let dir = tempfile::tempdir().unwrap();
    let host = serve(|path, _, to| pprof(path, to));
    let ran = record(&format!("http://{host}"), &fresh(&dir), &["--seconds", "1", "--every", "1ms", "--count", "3"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!(names(&fresh(&dir)), ["001", "002", "003"]);
    assert!(fresh(&dir).join("003/trace.out").exists());
}
