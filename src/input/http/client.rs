//! The client: one request a connection, nothing followed to another host, nothing secret in an error.

use super::error::HttpError;
use super::url::{Scheme, Secrets, Url, base64};
use crate::base::text;
use std::io::{self, Read};
use std::time::Duration;
use ureq::config::Config;
use ureq::unversioned::resolver::DefaultResolver;
#[cfg(unix)]
use ureq::unversioned::transport::Connector;
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, Error, Proxy};

/// Seconds until a connection stands, or is given up.
const CONNECT: u64 = 10;
/// Seconds for an answer that the server has at hand.
const ANSWER: u64 = 60;
/// Bytes of an answer that says what is wrong that are looked at.
const SAID: u64 = 4096;
/// Columns of the server's words in a message.
const WORDS: usize = 160;

/// How to ask a server.
#[derive(Clone, Default)]
pub struct Request {
    /// Headers, names and values.
    pub headers: Vec<(String, String)>,
    /// Whether a server's certificate may be any.
    pub insecure: bool,
}

impl Request {
    /// Takes a header as `curl` does: `Name: value`.
    ///
    /// # Errors
    ///
    /// It is not of that form. The message does not show it: it may be a secret without its name.
    pub fn header(text: &str) -> Result<(String, String), String> {
        let pair = text.split_once(':').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
        pair.filter(|(k, v)| {
            ureq::http::HeaderName::from_bytes(k.as_bytes()).is_ok() && ureq::http::HeaderValue::from_str(v).is_ok()
        })
        .ok_or_else(|| "a header is a name, a colon and a value: -H 'Name: value'".into())
    }
}

/// A server that is asked.
#[derive(Clone)]
pub struct Client {
    url: Url,
    headers: Vec<(String, String)>,
    insecure: bool,
    secrets: Secrets,
}

/// An answer whose body is still to be read.
pub struct Answer {
    /// The server's clock, as it says it.
    pub date: Option<String>,
    /// The body.
    pub body: Body,
}

/// The body of an answer. An answer that breaks off is an error of the kind [`io::ErrorKind::UnexpectedEof`].
pub struct Body {
    from: ureq::BodyReader<'static>,
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.from.read(out) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => return read,
            }
        }
    }
}

impl Client {
    /// A client of the server at an address; what it asks for it says itself.
    ///
    /// # Errors
    ///
    /// The address needs what this program was built without.
    pub fn new(url: &Url, request: &Request) -> Result<Client, HttpError> {
        if url.scheme == Scheme::Https && !cfg!(feature = "tls") {
            return Err(HttpError::NoTls);
        }
        if matches!(url.scheme, Scheme::Unix(_)) && !cfg!(unix) {
            return Err(HttpError::NoUnixSockets);
        }
        let mut headers = request.headers.clone();
        if let Some((name, password)) = &url.user
            && !headers.iter().any(|(k, _)| k.eq_ignore_ascii_case("authorization"))
        {
            headers.push(("Authorization".into(), format!("Basic {}", base64(&format!("{name}:{password}")))));
        }
        let secrets = Secrets::of(url, &headers);
        Ok(Client { url: url.clone(), headers, insecure: request.insecure, secrets })
    }

    /// The address that it was made for.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What must not be shown of what it sends.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The names of the headers that it sends.
    pub fn header_names(&self) -> Vec<String> {
        self.headers.iter().map(|(name, _)| name.clone()).collect()
    }

    fn agent(&self, seconds: Option<u64>) -> Agent {
        let wait = seconds.map(Duration::from_secs);
        let proxy = if self.url.is_local() { None } else { Proxy::try_from_env() };
        let config = Config::builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(0)
            .proxy(proxy)
            .user_agent(concat!("gotrail/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(Duration::from_secs(CONNECT)))
            .timeout_recv_response(wait)
            .timeout_per_read(wait);
        #[cfg(feature = "tls")]
        let config = config.tls_config(ureq::tls::TlsConfig::builder().disable_verification(self.insecure).build());
        #[cfg(not(feature = "tls"))]
        let _ = self.insecure;
        let config = config.build();
        match &self.url.scheme {
            #[cfg(unix)]
            Scheme::Unix(socket) => {
                let connector = ().chain(super::unix::UnixConnector(socket.clone()));
                Agent::with_parts(config, connector, DefaultResolver::default())
            }
            _ => Agent::with_parts(config, DefaultConnector::default(), DefaultResolver::default()),
        }
    }

    /// Asks for what is at `url`, which is of this server, and takes `seconds` to make; `None` if that takes as long as it
    /// takes.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is not success.
    pub fn get(&self, url: &Url, seconds: Option<u64>) -> Result<Answer, HttpError> {
        let wait = seconds.map(|s| s.saturating_add(ANSWER));
        let mut request = self.agent(wait).get(url.target());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let answer = request.call().map_err(|e| self.error(e, wait.unwrap_or(CONNECT)))?;
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let (date, location) = (header("date"), header("location"));
        let mut body = Body { from: answer.into_body().into_reader() };
        if (200..300).contains(&status) {
            return Ok(Answer { date, body });
        }
        let mut said = Vec::new();
        // What can be read of it is all that is wanted.
        let _ = body.by_ref().take(SAID).read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said);
        let line = said.lines().map(str::trim).find(|l| !l.is_empty()).unwrap_or("");
        // A web page says nothing in its first line.
        let line = if line.starts_with('<') { "" } else { line };
        let to = location.map_or_else(String::new, |l| match Url::parse(&l) {
            Some(url) => url.to_string(),
            None => l.split('?').next().unwrap_or("").to_owned(),
        });
        Err(HttpError::status(status, self.shown(line), self.shown(&to)))
    }

    /// Words of the server's or the system's, as they may stand in a message.
    fn shown(&self, words: &str) -> String {
        let hidden = self.secrets.hide(words);
        text::fit(&text::escape(&hidden), WORDS).into_owned()
    }

    fn error(&self, e: Error, seconds: u64) -> HttpError {
        match e {
            Error::HostNotFound => HttpError::NoHost,
            Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => HttpError::Timeout(CONNECT),
            Error::Timeout(_) => HttpError::Timeout(seconds),
            Error::Protocol(e) => HttpError::NotHttp(self.shown(&e.to_string())),
            Error::Tls(why) => HttpError::Tls(self.shown(why)),
            Error::Io(e) => match e.kind() {
                io::ErrorKind::ConnectionRefused => HttpError::Refused,
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                    HttpError::Closed
                }
                _ => HttpError::Unreachable(self.shown(&e.to_string())),
            },
            Error::BadUri(_) | Error::Http(_) => HttpError::Malformed("this is no address that can be asked".into()),
            e => HttpError::Unreachable(self.shown(&e.to_string())),
        }
    }
}

/// All of what an address gives, up to so many bytes; whether it broke off before its end.
///
/// # Errors
///
/// There is no answer, or it is not success, or it broke off before its first byte.
pub(in crate::input) fn fetch(url: &Url, most: u64) -> Result<(Vec<u8>, bool), HttpError> {
    // Go's endpoints make an answer as long as they are asked to, 30 s if nothing is said.
    let seconds = url.query.split('&').find_map(|p| p.strip_prefix("seconds=")?.parse().ok()).unwrap_or(30);
    let answer = Client::new(url, &Request::default())?.get(url, Some(seconds))?;
    let mut bytes = Vec::new();
    let read = answer.body.take(most.saturating_add(1)).read_to_end(&mut bytes);
    if bytes.len() as u64 > most {
        return Err(HttpError::TooLarge(most));
    }
    match read {
        Err(_) if bytes.is_empty() => Err(HttpError::CutOff(0)),
        read => Ok((bytes, read.is_err())),
    }
}
