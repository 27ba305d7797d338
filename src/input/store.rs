//! Where bytes go that come one after the other: into memory, and into a temporary file when they become too many.

use super::InputErrorKind;
use super::bytes::Bytes;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};

/// Bytes on their way.
pub(super) struct Store {
    held: Vec<u8>,
    /// How many are held.
    most: u64,
    file: Option<File>,
    len: u64,
}

/// Why not everything was taken.
pub(super) enum Stopped {
    /// There is more than may be taken.
    TooMuch,
    /// What is read failed.
    Source(io::Error),
    /// There is no room for it.
    Store(InputErrorKind),
}

impl Store {
    /// Holds `most` bytes in memory.
    pub fn new(most: u64) -> Store {
        Store { held: Vec::new(), most, file: None, len: 0 }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Adds bytes.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), InputErrorKind> {
        self.len += bytes.len() as u64;
        if self.file.is_none() {
            if self.len <= self.most {
                self.held.extend_from_slice(bytes);
                return Ok(());
            }
            let mut file = tempfile::tempfile().map_err(InputErrorKind::Temporary)?;
            file.write_all(&std::mem::take(&mut self.held)).map_err(InputErrorKind::Temporary)?;
            self.file = Some(file);
        }
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(InputErrorKind::Temporary),
            None => Ok(()),
        }
    }

    /// Takes all that `from` gives, up to `limit` bytes in all. Memory grows with what has really come, never with what a
    /// header promises.
    pub fn fill(&mut self, from: &mut impl Read, limit: u64) -> Result<(), Stopped> {
        let mut chunk = vec![0; 64 << 10];
        loop {
            match from.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(n) if self.len + n as u64 > limit => return Err(Stopped::TooMuch),
                Ok(n) => self.add(&chunk[..n]).map_err(Stopped::Store)?,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Stopped::Source(e)),
            }
        }
    }

    /// All of them.
    pub fn finish(self) -> Result<Bytes, InputErrorKind> {
        match self.file {
            None => Ok(Bytes::Memory(self.held.into())),
            Some(file) => Bytes::of_file(file).map_err(InputErrorKind::Temporary),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_for_memory_goes_into_a_file() {
        let bytes: Vec<u8> = (0..200_000u32).map(|i| i as u8).collect();
        for most in [0, 100, 65_536, 100_000, 300_000] {
            let mut store = Store::new(most);
            assert!(store.fill(&mut &bytes[..], 200_000).is_ok());
            let all = store.finish().ok().unwrap();
            assert_eq!(all.held().is_some(), most >= 200_000, "{most}");
            assert_eq!(all.all(), &bytes[..], "{most}");
        }
        assert!(matches!(Store::new(10).fill(&mut &bytes[..], 199_999), Err(Stopped::TooMuch)));
    }
}
