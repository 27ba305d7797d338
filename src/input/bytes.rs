//! The bytes of an input: in memory, or in a file, of which pieces are read when they are wanted.
//!
//! Files are not mapped: a page of a map that lies behind the end of a file that somebody cut short is a signal that ends
//! the program, where a read that comes back short is an error like any other.

use crate::base::text;
use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// The bytes of an input. Cheap to clone.
#[derive(Clone)]
pub enum Bytes {
    /// In memory.
    Memory(Arc<Vec<u8>>),
    /// Part of the program.
    Static(&'static [u8]),
    /// In a file.
    File(Arc<OnDisk>),
}

/// A file that is open for as long as its bytes are wanted.
pub struct OnDisk {
    file: File,
    /// Its length when it was opened. What is appended later is not read unless somebody [asks](Bytes::extend) for it.
    len: AtomicUsize,
    /// The first thing that could not be read.
    missing: OnceLock<Missing>,
}

/// Bytes that were there when a file was opened, and could not be read later.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    /// Offset of the first of them that was asked for.
    pub offset: u64,
    /// What happened, in a plain sentence that is safe to show.
    pub what: String,
}

impl Bytes {
    /// Those of a file, as long as it is now.
    ///
    /// # Errors
    ///
    /// The file's length cannot be had, or is more than memory could address.
    pub fn of_file(file: File) -> io::Result<Bytes> {
        let len = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        Ok(Bytes::File(Arc::new(OnDisk { file, len: AtomicUsize::new(len), missing: OnceLock::new() })))
    }

    /// Takes in what has been appended to the file since it was opened, or since the last time: in all copies of this. Returns
    /// how many bytes there are now. Bytes in memory do not grow.
    ///
    /// # Errors
    ///
    /// The file's length cannot be had, or is more than memory could address.
    pub fn extend(&self) -> io::Result<usize> {
        if let Bytes::File(f) = self {
            let now = usize::try_from(f.file.metadata()?.len()).map_err(io::Error::other)?;
            f.len.fetch_max(now, Ordering::Relaxed);
        }
        Ok(self.len())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Bytes::Memory(b) => b.len(),
            Bytes::Static(b) => b.len(),
            Bytes::File(f) => f.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, if they are in memory.
    pub fn held(&self) -> Option<&[u8]> {
        match self {
            Bytes::Memory(b) => Some(b),
            Bytes::Static(b) => Some(b),
            Bytes::File(_) => None,
        }
    }

    /// Copies the bytes from `at` on into `out`, as far as there are any. Returns how many; if that is fewer than there
    /// should be, [`missing`](Self::missing) says why.
    pub fn read_at(&self, at: usize, out: &mut [u8]) -> usize {
        match self {
            Bytes::File(f) => f.read_at(at, out),
            Bytes::Memory(_) | Bytes::Static(_) => {
                let rest = self.held().and_then(|b| b.get(at..)).unwrap_or_default();
                let n = rest.len().min(out.len());
                out[..n].copy_from_slice(&rest[..n]);
                n
            }
        }
    }

    /// The bytes of a range, as far as there are any. The caller bounds the range: those of a file are read into memory.
    pub fn get(&self, range: Range<usize>) -> Cow<'_, [u8]> {
        let end = range.end.min(self.len());
        let start = range.start.min(end);
        if let Some(all) = self.held() {
            return Cow::Borrowed(&all[start..end]);
        }
        let mut out = vec![0; end - start];
        let n = self.read_at(start, &mut out);
        out.truncate(n);
        Cow::Owned(out)
    }

    /// All of them. Those of a file are read into memory: [`Input`](super::Input)s that are no traces are there already.
    pub fn all(&self) -> Cow<'_, [u8]> {
        self.get(0..self.len())
    }

    /// The same in memory, all of it.
    pub fn load(&self) -> Bytes {
        match self {
            Bytes::File(_) => Bytes::Memory(Arc::new(self.all().into_owned())),
            held => held.clone(),
        }
    }

    /// What should have been there and could not be read, since the file was opened.
    pub fn missing(&self) -> Option<&Missing> {
        match self {
            Bytes::File(f) => f.missing.get(),
            Bytes::Memory(_) | Bytes::Static(_) => None,
        }
    }
}

impl OnDisk {
    fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    fn read_at(&self, at: usize, out: &mut [u8]) -> usize {
        let wanted = out.len().min(self.len().saturating_sub(at));
        let mut n = 0;
        while n < wanted {
            match read_once(&self.file, &mut out[n..wanted], (at + n) as u64) {
                Ok(0) => {
                    self.lose(at + n, None);
                    break;
                }
                Ok(more) => n += more,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.lose(at + n, Some(&e));
                    break;
                }
            }
        }
        n
    }

    #[cold]
    fn lose(&self, at: usize, cause: Option<&io::Error>) {
        self.missing.get_or_init(|| {
            let was = self.len() as u64;
            let what = match (cause, self.file.metadata()) {
                (Some(e), _) => format!("the file can no longer be read: {}", text::escape(&e.to_string())),
                (None, Ok(now)) if now.len() < was => format!(
                    "the file was cut short while it was open, from {} to {}",
                    text::bytes(was),
                    text::bytes(now.len())
                ),
                (None, _) => "the file was cut short while it was open".into(),
            };
            Missing { offset: at as u64, what }
        });
    }
}

#[cfg(unix)]
fn read_once(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, out, at)
}

#[cfg(windows)]
fn read_once(file: &File, out: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, out, at)
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_cut_short_reads_short_and_says_so() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[7; 5000]).unwrap();
        let bytes = Bytes::of_file(file.try_clone().unwrap()).unwrap();
        assert_eq!((bytes.len(), bytes.get(4990..9999).len()), (5000, 10));
        assert_eq!(bytes.missing(), None, "nobody asked for what was not there");
        file.write_all(&[8; 100]).unwrap();
        assert_eq!(bytes.load().len(), 5000, "what is appended is not read");
        assert_eq!((bytes.clone().extend().unwrap(), bytes.len()), (5100, 5100), "unless somebody asks for it");
        file.set_len(3000).unwrap();
        assert_eq!(bytes.extend().unwrap(), 5100, "it does not shrink");
        assert_eq!(bytes.get(2900..2950), vec![7; 50]);
        assert_eq!(bytes.missing(), None);
        assert_eq!(bytes.get(2990..3990).len(), 10);
        let missing = bytes.missing().unwrap();
        assert_eq!(missing.offset, 3000);
        assert_eq!(missing.what, "the file was cut short while it was open, from 4.98kB to 2.93kB");
    }
}
