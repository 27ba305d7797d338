//! What a server sends, read on a thread of its own: whoever waits for it can be told to stop meanwhile.

use super::server::Server;
use crate::input::http::HttpError;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Bytes that are read at once.
const CHUNK: usize = 64 << 10;
/// Chunks that wait to be taken.
const AHEAD: usize = 1024;
/// How often whoever waits looks whether to stop.
pub(super) const TICK: Duration = Duration::from_millis(50);

/// A part of an answer.
pub(super) enum Piece {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// The end of the answer.
    End,
    /// There is no answer, or it broke off.
    Failed(HttpError),
}

/// An answer that is being read. Dropping it closes the connection with the next byte that comes.
pub(super) struct Stream {
    pieces: Receiver<Piece>,
    closed: Arc<AtomicBool>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

impl Stream {
    /// Asks for an endpoint; see [`Server::get`].
    pub fn open(server: &Server, endpoint: &str, query: &str, seconds: Option<u64>) -> Stream {
        let (send, pieces) = bounded(AHEAD);
        let closed = Arc::new(AtomicBool::new(false));
        let (server, endpoint, query) = (server.clone(), endpoint.to_owned(), query.to_owned());
        let over = Arc::clone(&closed);
        std::thread::spawn(move || {
            let mut answer = match server.get(&endpoint, &query, seconds) {
                Ok(answer) => answer,
                Err(e) => return drop(send.send(Piece::Failed(e))),
            };
            let (mut buffer, mut total) = (vec![0; CHUNK], 0);
            while !over.load(Ordering::Relaxed) {
                let piece = match answer.body.read(&mut buffer) {
                    Ok(0) => Piece::End,
                    Ok(n) => {
                        total += n as u64;
                        Piece::Bytes(buffer[..n].to_vec())
                    }
                    Err(_) => Piece::Failed(HttpError::CutOff(total)),
                };
                let last = !matches!(piece, Piece::Bytes(_));
                if send.send(piece).is_err() || last {
                    return;
                }
            }
        });
        Stream { pieces, closed }
    }

    /// The next piece; nothing if none came for a moment.
    pub fn next(&self) -> Option<Piece> {
        match self.pieces.recv_timeout(TICK) {
            Ok(piece) => Some(piece),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Piece::End),
        }
    }

    /// A piece that is there already.
    pub fn ready(&self) -> Option<Piece> {
        self.pieces.try_recv().ok()
    }
}
