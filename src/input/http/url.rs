//! Addresses of servers, and what of them may be shown: never a password, a token or the value of a header.

use std::fmt;
use std::path::{Path, PathBuf};

/// How a server is reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
    /// Plain HTTP over a Unix socket.
    Unix(PathBuf),
}

/// An address: `http://user:password@host:6060/prefix?token=…`, or `unix:/run/app.sock:/prefix`. Its [`Display`](fmt::Display)
/// leaves out what may be secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    /// How the server is reached.
    pub scheme: Scheme,
    /// Host and port; "localhost" for a Unix socket.
    pub host: String,
    /// The path, with its leading slash; empty if there is none.
    pub path: String,
    /// What stands after the question mark; empty if nothing does.
    pub query: String,
    /// User and password, decoded.
    pub user: Option<(String, String)>,
}

/// Parameters that hide nothing: those of Go's own endpoints.
const PLAIN: &[&str] = &["seconds", "debug", "gc"];

impl Url {
    /// The address that `text` is, if it is one.
    pub fn parse(text: &str) -> Option<Url> {
        if let Some(rest) = text.strip_prefix("unix:") {
            let (socket, path) = rest.split_once(":/").map_or((rest, String::new()), |(s, p)| (s, format!("/{p}")));
            let (path, query) = path.split_once('?').unwrap_or((&path, ""));
            let scheme = Scheme::Unix(socket.trim_start_matches("//").into());
            let whole = !socket.trim_matches('/').is_empty();
            let [path, query] = [path, query].map(str::to_owned);
            return whole.then(|| Url { scheme, host: "localhost".into(), path, query, user: None });
        }
        let (scheme, rest) = text.split_once("://")?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return None,
        };
        let rest = rest.split('#').next().unwrap_or("");
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = rest.find('/').map_or((rest, ""), |i| rest.split_at(i));
        let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
        let user = user.map(|u| {
            let (name, password) = u.split_once(':').unwrap_or((u, ""));
            (decode(name), decode(password))
        });
        let [host, path, query] = [host, path, query].map(str::to_owned);
        (!host.is_empty()).then_some(Url { scheme, host, path, query, user })
    }

    /// The address that a name on the command line is, if it is one and no file is called so.
    pub fn of(path: &Path) -> Option<Url> {
        Url::parse(path.to_str()?).filter(|_| !path.exists())
    }

    /// The same server, at another path; `query` comes before that of this address.
    pub fn at(&self, path: &str, query: &str) -> Url {
        let both = [query, &self.query].into_iter().filter(|q| !q.is_empty()).collect::<Vec<_>>().join("&");
        Url { path: path.to_owned(), query: both, ..self.clone() }
    }

    /// What is asked for, without the user: for the client only.
    pub(super) fn target(&self) -> String {
        let scheme = if self.scheme == Scheme::Https { "https" } else { "http" };
        let mark = if self.query.is_empty() { "" } else { "?" };
        let path = if self.path.is_empty() { "/" } else { &self.path };
        format!("{scheme}://{}{path}{mark}{}", self.host, self.query)
    }

    /// Whether the server is this machine.
    pub(super) fn is_local(&self) -> bool {
        let host = self.host.strip_prefix('[').and_then(|h| h.split(']').next());
        let host = host.unwrap_or_else(|| self.host.split(':').next().unwrap_or(""));
        let loopback = host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
        matches!(self.scheme, Scheme::Unix(_)) || host == "localhost" || loopback
    }

    /// What is called a file's name where a file is meant: the end of the path, and the host.
    pub fn short(&self) -> String {
        let name = self.path.trim_end_matches('/').rsplit('/').next().unwrap_or("");
        let host = match &self.scheme {
            Scheme::Unix(socket) => socket.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()),
            _ => self.host.clone(),
        };
        if name.is_empty() { host } else { format!("{name} of {host}") }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scheme {
            Scheme::Http => write!(f, "http://{}{}", self.host, self.path)?,
            Scheme::Https => write!(f, "https://{}{}", self.host, self.path)?,
            Scheme::Unix(socket) => {
                let colon = if self.path.is_empty() { "" } else { ":" };
                write!(f, "unix:{}{colon}{}", socket.display(), self.path)?;
            }
        }
        for (i, part) in self.query.split('&').filter(|p| !p.is_empty()).enumerate() {
            f.write_str(if i == 0 { "?" } else { "&" })?;
            match part.split_once('=') {
                Some((key, _)) if !PLAIN.contains(&key) => write!(f, "{key}=***")?,
                Some(_) => f.write_str(part)?,
                // A parameter without a name may be the token itself.
                None => f.write_str("***")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What of a server's address, headers and so on must not be shown, and where it is taken out.
#[derive(Clone, Default)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// The secrets of an address and of headers: passwords, values of parameters, values of headers.
    pub fn of(url: &Url, headers: &[(String, String)]) -> Secrets {
        let mut all = Vec::new();
        if let Some((name, password)) = &url.user {
            all.extend([password.clone(), encode(password), base64(&format!("{name}:{password}"))]);
        }
        let parts = url.query.split('&').map(|p| p.split_once('=').unwrap_or((p, p)));
        for (_, value) in parts.filter(|(key, _)| !PLAIN.contains(key)) {
            all.extend([value.to_owned(), decode(value)]);
        }
        for (_, value) in headers {
            all.push(value.clone());
            all.extend(value.split_whitespace().skip(1).map(str::to_owned));
        }
        // What is shorter stands in every other word by chance.
        all.retain(|s| s.len() >= 3);
        all.sort_by_key(|s| std::cmp::Reverse(s.len()));
        all.dedup();
        Secrets(all)
    }

    /// `text` with asterisks in place of every secret.
    pub fn hide(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// `%2F` as `/`; what is no such code stays.
fn decode(text: &str) -> String {
    let (bytes, mut out, mut i) = (text.as_bytes(), Vec::new(), 0);
    while i < bytes.len() {
        let code = bytes.get(i + 1..i + 3).filter(|_| bytes[i] == b'%');
        let code = code.and_then(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok());
        out.push(code.unwrap_or(bytes[i]));
        i += if code.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// All but letters and digits as `%2F`, as they stand in addresses.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// Base64, as a login goes into a header.
pub(super) fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let n = three.iter().fold(0u32, |n, &b| n << 8 | u32::from(b)) << (8 * (3 - three.len()));
        for i in 0..4 {
            let digit = DIGITS[(n >> (18 - 6 * i)) as usize & 63];
            out.push(if i <= three.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(s: &str) -> Url {
        Url::parse(s).unwrap()
    }

    #[test]
    fn addresses_are_taken_apart() {
        let u = url("http://me:p%40ss@host:6060/svc/debug/pprof/heap?gc=1#x");
        assert_eq!(
            (u.host.as_str(), u.path.as_str(), u.query.as_str()),
            ("host:6060", "/svc/debug/pprof/heap", "gc=1")
        );
        assert_eq!(u.user, Some(("me".into(), "p@ss".into())));
        assert_eq!(u.target(), "http://host:6060/svc/debug/pprof/heap?gc=1");
        assert_eq!(u.short(), "heap of host:6060");
        assert_eq!(url("HTTPS://h").target(), "https://h/");
        assert_eq!(url("unix:/run/a.sock:/x").target(), "http://localhost/x");
        assert_eq!(url("unix:/run/a.sock").scheme, Scheme::Unix("/run/a.sock".into()));
        assert_eq!(url("unix:/run/a.sock:/x").to_string(), "unix:/run/a.sock:/x");
        for plain in ["trace.out", "/a/b", "ftp://host/x", "http://", "http:///x", "unix:", "c:/x", "a@1ms"] {
            assert_eq!(Url::parse(plain), None, "{plain}");
        }
    }

    #[test]
    fn what_is_local_needs_no_proxy() {
        for local in ["http://localhost:1", "http://127.0.0.1", "http://[::1]:6060/x", "unix:/a"] {
            assert!(url(local).is_local(), "{local}");
        }
        assert!(!url("http://localhost.evil.example").is_local());
    }

    #[test]
    fn nothing_secret_is_shown() {
        let u = url("http://me:hunter2@host/x?token=abc123&seconds=5&s3cr3t");
        assert_eq!(u.to_string(), "http://host/x?token=***&seconds=5&***");
        assert_eq!(format!("{u:?}"), u.to_string());
        let headers = [("Authorization".to_owned(), "Bearer xyzzy".to_owned())];
        let hidden =
            Secrets::of(&u, &headers).hide("no hunter2 and bWU6aHVudGVyMg== and abc123, xyzzy; Bearer xyzzy; s3cr3t");
        assert_eq!(hidden, "no *** and *** and ***, ***; ***; ***");
    }

    #[test]
    fn base64_is_as_others_write_it() {
        let all = ["", "f", "fo", "foo", "foob"].map(base64);
        assert_eq!(all, ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]);
    }
}
