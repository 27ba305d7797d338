//! The messages of the Model Context Protocol: JSON-RPC 2.0, an object a line.
//!
//! Up to its version 2025-11-25 a connection begins with the request `initialize`; from 2026-07-28 on each request says in its
//! `_meta` which version it is of, and results say whether they are complete. Both kinds are answered, and may come mixed.

use super::answer::text;
use serde_json::{Map, Value, json};

/// The versions that begin with `initialize`, the newest first. Of 2025-03-26, whose messages may come several in an array,
/// there are no clients without a later version.
pub const HANDSHAKES: &[&str] = &["2025-11-25", "2025-06-18", "2024-11-05"];
/// The version whose requests stand each for itself.
pub const STATELESS: &str = "2026-07-28";

/// What is no JSON.
pub const NO_JSON: i32 = -32700;
/// What is JSON, and no message.
pub const INVALID_REQUEST: i32 = -32600;
/// A method that there is not.
pub const NO_METHOD: i32 = -32601;
/// Parameters that the method does not have.
pub const INVALID_PARAMS: i32 = -32602;
/// A version of the protocol that is not spoken here, or not in this way.
const WRONG_VERSION: i32 = -32022;

/// The key of the version in `_meta`.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
/// The key of who answers.
const SERVER_KEY: &str = "io.modelcontextprotocol/serverInfo";

/// Why there is no result.
pub struct Fault {
    code: i32,
    message: String,
    data: Option<Value>,
}

impl Fault {
    /// A fault with a code of JSON-RPC, in a sentence.
    pub fn new(code: i32, message: String) -> Fault {
        Fault { code, message, data: None }
    }
}

/// What somebody wants to know.
pub struct Request {
    /// A number or a text, which the answer repeats.
    pub id: Value,
    /// What is asked.
    pub method: String,
    /// An object; empty if there are none.
    pub params: Value,
}

/// A line.
pub enum Message {
    /// It wants an answer.
    Request(Request),
    /// It wants none.
    Notification {
        /// What happened.
        method: String,
        /// More of it.
        params: Value,
    },
    /// It is an answer.
    Answer,
}

/// Reads a line. What is wrong with one is said with the id of the answer, which is null if that cannot be told.
pub fn parse(line: &[u8]) -> Result<Message, (Value, Fault)> {
    let wrong = |id: &Value, why: &str| (id.clone(), Fault::new(INVALID_REQUEST, why.into()));
    let value: Value = serde_json::from_slice(line)
        .map_err(|e| (Value::Null, Fault::new(NO_JSON, format!("this is no JSON: {e}"))))?;
    let Value::Object(mut message) = value else {
        return Err(wrong(&Value::Null, "a message is one object a line, not an array of them"));
    };
    let id = message.remove("id");
    // A number that does not come back as it was sent would be no answer to anybody.
    let known = |id: &Value| id.is_string() || id.is_i64() || id.is_u64();
    if id.as_ref().is_some_and(|id| !known(id)) {
        return Err(wrong(&Value::Null, "an id is a text or a whole number of 64 bits"));
    }
    let shown = id.clone().unwrap_or(Value::Null);
    if message.get("jsonrpc").and_then(Value::as_str) != Some("2.0") {
        return Err(wrong(&shown, "a message has \"jsonrpc\": \"2.0\""));
    }
    let Some(method) = message.remove("method") else {
        let answers = message.contains_key("result") || message.contains_key("error");
        return if answers { Ok(Message::Answer) } else { Err(wrong(&shown, "a message has a method")) };
    };
    let Value::String(method) = method else { return Err(wrong(&shown, "a method is a text")) };
    let params = message.remove("params").unwrap_or_else(|| Value::Object(Map::new()));
    match id {
        None => Ok(Message::Notification { method, params }),
        Some(id) if !params.is_object() => Err((id, Fault::new(INVALID_PARAMS, "params are an object".into()))),
        Some(id) => Ok(Message::Request(Request { id, method, params })),
    }
}

/// An answer without a result.
pub fn error(id: &Value, fault: &Fault) -> Value {
    let mut error = json!({ "code": fault.code, "message": fault.message });
    if let Some(data) = &fault.data {
        error["data"] = data.clone();
    }
    json!({ "jsonrpc": "2.0", "id": id, "error": error })
}

/// All versions that are spoken here, the newest first.
pub fn versions() -> impl Iterator<Item = &'static str> {
    std::iter::once(STATELESS).chain(HANDSHAKES.iter().copied())
}

/// What this server is called.
pub fn itself() -> Value {
    json!({ "name": "gotrail", "version": env!("CARGO_PKG_VERSION") })
}

impl Request {
    /// The version that the request says it is of.
    fn version(&self) -> Option<&Value> {
        self.params.get("_meta")?.get(VERSION_KEY)
    }

    /// What is wrong with that.
    pub fn wrong_version(&self) -> Option<Fault> {
        let said = self.version().filter(|v| v.as_str() != Some(STATELESS))?;
        let shown = text::short(&said.to_string());
        let message = match said.as_str().is_some_and(|v| HANDSHAKES.contains(&v)) {
            true => format!("a connection of version {shown} begins with `initialize`, and its requests do not say it"),
            false => format!("this version of the protocol is not spoken here: {shown}"),
        };
        let requested = text::short(said.as_str().unwrap_or_default());
        let data = Some(json!({ "supported": versions().collect::<Vec<_>>(), "requested": requested }));
        Some(Fault { code: WRONG_VERSION, message, data })
    }

    /// The answer to it.
    pub fn answer(&self, result: Result<Value, Fault>) -> Value {
        let mut result = match result {
            Ok(result) => result,
            Err(fault) => return error(&self.id, &fault),
        };
        if self.version().is_some() {
            result["resultType"] = "complete".into();
            result["_meta"] = json!({ SERVER_KEY: itself() });
        }
        json!({ "jsonrpc": "2.0", "id": self.id, "result": result })
    }
}
