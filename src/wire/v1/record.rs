//! One record after the other: where each begins, what its numbers are, where it ends.
//!
//! Source: docs/format.md, section 9.1.

use super::spec::op;

/// The largest length-prefixed record that is believed, in bytes: a batch of the runtime is no larger.
const MAX_RECORD: u64 = 64 << 10;

/// Why there is no record at a position.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The bytes end before the record does.
    Cut,
    /// The bytes are no record.
    Bad,
}

/// Where a record's parts lie.
#[derive(Clone, Copy, Debug)]
pub struct Record {
    /// Its type; not checked against the version.
    pub op: u8,
    /// Offset of its first number.
    pub body: usize,
    /// Offset of the byte after its numbers.
    pub end: usize,
    /// Offset of the next record: beyond `end` for the two types that carry text.
    pub next: usize,
}

/// The unsigned LEB128 number at `*pos`, which is moved behind it. Overlong encodings up to ten bytes are valid.
#[inline]
pub fn varint(data: &[u8], pos: &mut usize) -> Result<u64, Fault> {
    match data.get(*pos) {
        Some(&b) if b < 0x80 => {
            *pos += 1;
            Ok(u64::from(b))
        }
        Some(_) => long_varint(data, pos),
        None => Err(Fault::Cut),
    }
}

fn long_varint(data: &[u8], pos: &mut usize) -> Result<u64, Fault> {
    let mut value = 0;
    for (i, &b) in data[*pos..].iter().take(10).enumerate() {
        if i == 9 && b > 1 {
            return Err(Fault::Bad);
        }
        value |= u64::from(b & 0x7f) << (7 * i);
        if b < 0x80 {
            *pos += i + 1;
            return Ok(value);
        }
    }
    Err(if data.len() - *pos < 10 { Fault::Cut } else { Fault::Bad })
}

/// Moves `*pos` behind `n` numbers.
#[inline]
fn skip(data: &[u8], pos: &mut usize, n: u8) -> Result<(), Fault> {
    for _ in 0..n {
        match data.get(*pos) {
            Some(&b) if b < 0x80 => *pos += 1,
            _ => _ = varint(data, pos)?,
        }
    }
    Ok(())
}

/// Finds the parts of the record at `at`.
#[inline]
pub fn record(data: &[u8], at: usize) -> Result<Record, Fault> {
    let first = *data.get(at).ok_or(Fault::Cut)?;
    let (op, bits) = (first & 0x3f, first >> 6);
    let mut pos = at + 1;
    if bits < 3 && op != op::STRING && op != op::BATCH && op != op::USER_LOG {
        // The time delta is not counted.
        skip(data, &mut pos, bits + 1)?;
        return Ok(Record { op, body: at + 1, end: pos, next: pos });
    }
    special(data, at, op, bits)
}

fn special(data: &[u8], at: usize, op: u8, bits: u8) -> Result<Record, Fault> {
    let mut pos = at + 1;
    match op {
        op::BATCH => {
            if bits != 1 {
                return Err(Fault::Bad);
            }
            skip(data, &mut pos, 2)?;
            Ok(Record { op, body: at + 1, end: pos, next: pos })
        }
        op::STRING => {
            skip(data, &mut pos, 1)?;
            let end = pos;
            let next = text(data, pos)?.1;
            Ok(Record { op, body: at + 1, end, next })
        }
        _ => {
            if bits < 3 {
                return Err(Fault::Bad);
            }
            let len = varint(data, &mut pos)?;
            if len > MAX_RECORD {
                return Err(Fault::Bad);
            }
            let end = pos + len as usize;
            if end > data.len() {
                return Err(Fault::Cut);
            }
            let next = if op == op::USER_LOG { text(data, end)?.1 } else { end };
            Ok(Record { op, body: pos, end, next })
        }
    }
}

/// The longest text that is believed, in bytes; Go's reader draws the line there too.
const MAX_TEXT: u64 = 1_000_000;

/// The text that stands at `at` behind its length, and the offset after it.
pub fn text(data: &[u8], at: usize) -> Result<(&[u8], usize), Fault> {
    let mut pos = at;
    let len = varint(data, &mut pos)?;
    if len > MAX_TEXT {
        return Err(Fault::Bad);
    }
    let end = pos + len as usize;
    data.get(pos..end).map(|t| (t, end)).ok_or(Fault::Cut)
}

impl Record {
    /// Reads the first numbers into `out` and says how many there were, `out.len()` at most.
    #[inline]
    pub fn numbers(&self, data: &[u8], out: &mut [u64]) -> usize {
        let Some(data) = data.get(..self.end) else { return 0 };
        let mut pos = self.body;
        let mut n = 0;
        while n < out.len() && pos < self.end {
            match varint(data, &mut pos) {
                Ok(v) => out[n] = v,
                Err(_) => break,
            }
            n += 1;
        }
        n
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_every_shape() {
        // GoSched with a stack; a batch; a string; a log with its message; a padded length.
        let data = [17 | 1 << 6, 5, 0x81, 0x01];
        let r = record(&data, 0).unwrap();
        let mut v = [0; 6];
        assert_eq!((r.op, r.next, r.numbers(&data, &mut v)), (op::GO_SCHED, 4, 2));
        assert_eq!(v[..2], [5, 129]);

        let data = [1 | 1 << 6, 3, 0xff, 0x01];
        assert_eq!(record(&data, 0).unwrap().next, 4);
        assert_eq!(record(&[1, 3, 4], 0).unwrap_err(), Fault::Bad, "a batch has two numbers");

        let data = [37, 7, 3, b'a', b'b', b'c', 0];
        assert_eq!(record(&data, 0).unwrap().next, 6);
        assert_eq!(record(&data[..5], 0).unwrap_err(), Fault::Cut);

        let data = [48 | 3 << 6, 0x84, 0x80, 0, 9, 1, 2, 3, 2, b'h', b'i'];
        let r = record(&data, 0).unwrap();
        assert_eq!((r.end, r.next, r.numbers(&data, &mut v)), (8, 11, 4));
        assert_eq!(text(&data, r.end).unwrap().0, b"hi");
    }

    #[test]
    fn numbers_too_long_are_told_from_numbers_cut_off() {
        let mut long = [0x80; 11];
        assert_eq!(varint(&long, &mut 0), Err(Fault::Bad));
        assert_eq!(varint(&long[..9], &mut 0), Err(Fault::Cut));
        long[9] = 1;
        assert_eq!(varint(&long, &mut 0), Ok(1 << 63));
        long[9] = 2;
        assert_eq!(varint(&long, &mut 0), Err(Fault::Bad));
    }
}
