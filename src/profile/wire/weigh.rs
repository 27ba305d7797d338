//! How much memory a profile.proto takes decoded, told from its bytes before anything is decoded.
//!
//! Protobuf is terse: a label of two bytes becomes a hundred in memory. A file of some hundred kilobytes, unpacked to
//! what is allowed, could so take more memory than the machine has.

use super::varint;

/// Bytes that an entry of a table takes, with what is made of it later.
const ENTRY: u64 = 160;
/// The same of a label or a line.
const PART: u64 = 64;
/// The same of a number in a list.
const NUMBER: u64 = 16;

/// About how many bytes the profile in `data` takes, some of it twice, since it is converted. What is malformed counts up
/// to there, and what is in a group, which profiles do not have, as if it stood beside it.
pub fn decoded_size(data: &[u8]) -> u64 {
    let size = |field, bytes: &[u8]| {
        let within = match field {
            2 => sample(bytes),
            4 => parts(bytes, 4),
            6 => bytes.len() as u64,
            13 => numbers(bytes),
            _ => 0,
        };
        ENTRY + within
    };
    Fields(data).map(|(field, value)| value.map_or(NUMBER, |bytes| size(field, bytes))).sum()
}

/// The same of a profile in a legacy format: each line and each address of a text, each word of a binary one, may become
/// an entry.
pub fn legacy_size(data: &[u8]) -> u64 {
    let head = &data[..data.len().min(512)];
    let entries = if head.contains(&0) {
        data.len() / 8
    } else {
        let lines = data.iter().filter(|b| **b == b'\n').count();
        lines + data.windows(2).filter(|w| w == b"0x").count()
    };
    ENTRY * entries as u64
}

fn sample(data: &[u8]) -> u64 {
    let size = |(field, value): (u64, Option<&[u8]>)| match (field, value) {
        (1 | 2, Some(packed)) => numbers(packed),
        (1 | 2, None) => NUMBER,
        (3, Some(_)) => PART,
        _ => 0,
    };
    Fields(data).map(size).sum()
}

/// What the messages of one field of a message take.
fn parts(data: &[u8], of: u64) -> u64 {
    PART * Fields(data).filter(|&(field, value)| field == of && value.is_some()).count() as u64
}

/// A packed list: each number ends with a byte whose highest bit is clear.
fn numbers(packed: &[u8]) -> u64 {
    NUMBER * packed.iter().filter(|b| **b < 0x80).count() as u64
}

/// The fields of a message: the number, and the bytes of one that has a length. Ends at the first malformed one.
struct Fields<'a>(&'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = varint(self.0)?;
        let (value, rest) = match tag & 7 {
            0 => (None, varint(rest)?.1),
            1 => (None, rest.get(8..)?),
            2 => {
                let (n, rest) = varint(rest)?;
                let (bytes, rest) = rest.split_at_checked(usize::try_from(n).ok()?)?;
                (Some(bytes), rest)
            }
            3 | 4 => (None, rest),
            5 => (None, rest.get(4..)?),
            _ => return None,
        };
        self.0 = rest;
        Some((tag >> 3, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field that has a length.
    fn message(field: u8, bytes: &[u8]) -> Vec<u8> {
        let mut out = vec![field << 3 | 2, u8::try_from(bytes.len()).unwrap()];
        out.extend(bytes);
        out
    }

    #[test]
    fn lines_addresses_and_words_of_legacy_formats_are_counted() {
        assert_eq!(legacy_size(b"--- contention:\n1 1 @ 0x1 0x2\n1 1 @ 0x3\n"), 6 * ENTRY);
        assert_eq!(legacy_size(&[0; 40]), 5 * ENTRY);
    }

    #[test]
    fn what_little_input_can_become_is_counted() {
        // Three locations packed, the last of two bytes, one value by itself, two labels.
        let sample = [message(1, &[1, 2, 0x80, 1]), vec![0x10, 5], message(3, &[]), message(3, &[8, 1])].concat();
        let sample = message(2, &sample);
        assert_eq!(decoded_size(&sample), ENTRY + 4 * NUMBER + 2 * PART);
        let location = message(4, &[vec![8, 1], message(4, &[]), message(4, &[8, 9])].concat());
        assert_eq!(decoded_size(&location), ENTRY + 2 * PART);
        assert_eq!(decoded_size(&message(6, b"name")), ENTRY + 4);
        let both = [sample, location].concat();
        assert_eq!(decoded_size(&both), 2 * ENTRY + 4 * NUMBER + 4 * PART);
        // Nothing is hidden behind the beginning of a group, nor inside it.
        let hidden = message(2, &[vec![0xa3, 6, 0xa4, 6], message(3, &[]), vec![0xa3, 6], message(3, &[])].concat());
        assert_eq!(decoded_size(&hidden), ENTRY + 2 * PART);
        let behind = [vec![0xa3, 6, 0xa4, 6], both.clone()].concat();
        assert_eq!(decoded_size(&behind), 2 * NUMBER + decoded_size(&both));
        // Cut short, it counts what is whole.
        assert_eq!(decoded_size(&both[..both.len() - 1]), ENTRY + 4 * NUMBER + 2 * PART);
    }
}
