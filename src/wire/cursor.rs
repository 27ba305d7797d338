//! Reading numbers and bytes out of a slice, with errors instead of panics.

use super::error::{Error, ErrorKind};

/// A position in a slice that starts at `base` of the file.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    data: &'a [u8],
    pos: usize,
    base: u64,
}

impl<'a> Cursor<'a> {
    /// At the start of `data`, which lies at offset `base` of the file.
    pub fn new(data: &'a [u8], base: u64) -> Cursor<'a> {
        Cursor { data, pos: 0, base }
    }

    /// Offset in the file.
    pub fn offset(&self) -> u64 {
        self.base + self.pos as u64
    }

    /// Bytes from the start of the slice.
    pub fn pos(&self) -> usize {
        self.pos
    }

    /// Whether the slice is used up.
    pub fn at_end(&self) -> bool {
        self.pos >= self.data.len()
    }

    /// The next byte.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, Error> {
        let b = *self.data.get(self.pos).ok_or_else(|| self.truncated(what))?;
        self.pos += 1;
        Ok(b)
    }

    /// The next unsigned LEB128 number. Overlong encodings up to ten bytes are valid: Go writes padded lengths.
    pub fn varint(&mut self, what: &'static str) -> Result<u64, Error> {
        let start = self.offset();
        let mut value = 0u64;
        for i in 0..10 {
            let b = self.byte(what)?;
            if i == 9 && b > 1 {
                break;
            }
            value |= u64::from(b & 0x7f) << (7 * i);
            if b < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::new(start, ErrorKind::BadVarint(what)))
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: u64, what: &'static str) -> Result<&'a [u8], Error> {
        let rest = &self.data[self.pos..];
        if n > rest.len() as u64 {
            return Err(self.truncated(what));
        }
        self.pos += n as usize;
        Ok(&rest[..n as usize])
    }

    fn truncated(&self, what: &'static str) -> Error {
        Error::new(self.offset(), ErrorKind::Truncated(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length() {
        let minus_one = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Cursor::new(&minus_one, 0).varint("x"), Ok(u64::MAX));
        assert_eq!(Cursor::new(&[0x85, 0x80, 0x80, 0x00], 0).varint("x"), Ok(5));
        let too_big = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02];
        assert_eq!(Cursor::new(&too_big, 7).varint("x"), Err(Error::new(7, ErrorKind::BadVarint("x"))));
        assert_eq!(Cursor::new(&[0x80], 7).varint("x"), Err(Error::new(8, ErrorKind::Truncated("x"))));
    }
}
