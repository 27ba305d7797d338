//! A server that serves `net/http/pprof`: where its endpoints are, and what it says of itself.

use super::plan::is_gone;
use crate::input::http::{Answer, Client, HttpError, Request, Secrets, Url};
use std::io::Read;

/// Where Go puts the endpoints.
const USUAL: &str = "/debug/pprof";
/// Endpoints that an address may end with; the others are beside them.
const ENDPOINTS: &[&str] = &[
    "allocs",
    "block",
    "cmdline",
    "goroutine",
    "goroutineleak",
    "heap",
    "mutex",
    "profile",
    "symbol",
    "threadcreate",
    "trace",
];
/// Bytes of a command line that are looked at.
const MAX_COMMAND: u64 = 64 << 10;

/// A server that answered.
#[derive(Clone)]
pub struct Server {
    client: Client,
    /// The path below which its endpoints are.
    base: String,
    /// Its command line, without what looks like a secret.
    pub command: Vec<String>,
    /// Its clock when it was asked first, as it says it.
    pub date: Option<String>,
}

impl Server {
    /// Finds the endpoints of a server, below the address given or below `/debug/pprof` there.
    ///
    /// # Errors
    ///
    /// It does not answer. A server without one of the endpoints may have others.
    pub fn find(url: &Url, request: &Request) -> Result<Server, HttpError> {
        let client = Client::new(url, request)?;
        let bases = bases(&url.path);
        let mut server = Server { client, base: bases[0].clone(), command: Vec::new(), date: None };
        for base in bases {
            let asked = Server { base: base.clone(), ..server.clone() };
            match asked.get("cmdline", "", Some(0)) {
                Ok(answer) => {
                    let mut line = Vec::new();
                    // A command line that breaks off is as good as none.
                    let _ = answer.body.take(MAX_COMMAND).read_to_end(&mut line);
                    let line = String::from_utf8_lossy(&line);
                    let words = line.split('\0').filter(|w| !w.is_empty());
                    server.command = without_secrets(words, server.client.secrets());
                    (server.base, server.date) = (base, answer.date);
                    return Ok(server);
                }
                Err(e @ (HttpError::Login(_) | HttpError::NotHttp(_) | HttpError::Tls(_))) => return Err(e),
                Err(e) if is_gone(&e) => return Err(e),
                // Some programs serve the profiles and nothing else.
                Err(_) => {}
            }
        }
        Ok(server)
    }

    /// Asks for an endpoint, which takes the server `seconds` to answer; `None` if that takes as long as it takes.
    pub(super) fn get(&self, endpoint: &str, query: &str, seconds: Option<u64>) -> Result<Answer, HttpError> {
        let url = self.client.url().at(&format!("{}/{endpoint}", self.base), query);
        self.client.get(&url, seconds)
    }

    /// The address, as it may be shown.
    pub fn shown(&self) -> String {
        self.client.url().at(&self.base, "").to_string()
    }

    /// What it is called in the name of a folder.
    pub fn host(&self) -> String {
        Url { path: String::new(), ..self.client.url().clone() }.short()
    }

    /// The names of the headers that are sent.
    pub fn headers(&self) -> Vec<String> {
        self.client.header_names()
    }

    /// `text` without what must not be shown.
    pub fn hide(&self, text: &str) -> String {
        self.client.secrets().hide(text)
    }
}

/// The paths below which the endpoints may be, the likeliest first.
fn bases(path: &str) -> Vec<String> {
    let path = path.trim_end_matches('/');
    if let Some((base, last)) = path.rsplit_once('/')
        && ENDPOINTS.contains(&last)
        && !base.is_empty()
    {
        return vec![base.to_owned()];
    }
    let below = format!("{path}{USUAL}");
    match path {
        "" => vec![below],
        _ if path.ends_with(USUAL) || path.ends_with("/pprof") => vec![path.to_owned()],
        _ => vec![below, path.to_owned()],
    }
}

/// A command line, with asterisks for the values of what looks like a secret, and for logins in addresses.
fn without_secrets<'a>(words: impl Iterator<Item = &'a str>, secrets: &Secrets) -> Vec<String> {
    const NAMES: &[&str] = &["pass", "secret", "token", "key", "credential", "auth", "dsn"];
    let named = |w: &str| w.starts_with('-') && NAMES.iter().any(|n| w.to_ascii_lowercase().contains(n));
    let mut next = false;
    let mut out = Vec::new();
    for word in words {
        let hidden = match word.split_once('=') {
            _ if next && !word.starts_with('-') => "***".to_owned(),
            Some((name, _)) if named(name) => format!("{name}=***"),
            _ => login_hidden(word),
        };
        next = named(word) && !word.contains('=');
        out.push(secrets.hide(&hidden));
    }
    out
}

/// An address without what stands between `://` and `@`.
fn login_hidden(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_looked_for_below_any_path() {
        let of = |s: &str| bases(s).join(" ");
        assert_eq!(of(""), "/debug/pprof");
        assert_eq!(of("/"), "/debug/pprof");
        assert_eq!(of("/svc/debug/pprof/"), "/svc/debug/pprof");
        assert_eq!(of("/svc/debug/pprof/heap"), "/svc/debug/pprof");
        assert_eq!(of("/svc"), "/svc/debug/pprof /svc");
        assert_eq!(of("/internal/pprof"), "/internal/pprof");
    }

    #[test]
    fn command_lines_keep_no_secrets() {
        let line = ["srv", "-addr=:80", "--db-password", "x1", "-token=y2", "postgres://u:z3@db/x?a=b", "--verbose"];
        let shown = without_secrets(line.into_iter(), &Secrets::default()).join(" ");
        assert_eq!(shown, "srv -addr=:80 --db-password *** -token=*** postgres://***@db/x?a=b --verbose");
    }
}
