//! Texts in UTF-16, as PowerShell's `>` writes them, become UTF-8.

/// `bytes` in UTF-8, if they are a text in UTF-16 with a byte order mark. What is malformed becomes U+FFFD.
pub(super) fn utf16(bytes: &[u8]) -> Option<Vec<u8>> {
    let word: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let words = bytes[2..].chunks_exact(2).map(|w| word([w[0], w[1]]));
    let mut out = Vec::with_capacity(bytes.len() / 2);
    for c in char::decode_utf16(words) {
        let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read_and_no_byte_is_too_many() {
        let text = "goroutine 1 [running]:\r\nä𝄞\n";
        let le: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf16(&le).as_deref(), Some(text.as_bytes()));
        assert_eq!(utf16(&be).as_deref(), Some(text.as_bytes()));
        assert_eq!(utf16(&[&le[..], &[7]].concat()).as_deref(), Some(text.as_bytes()));
        assert_eq!(utf16(&[0xff, 0xfe, 0, 0xd8]).as_deref(), Some("\u{fffd}".as_bytes()));
        assert_eq!(utf16(b"go"), None);
    }
}
