//! A column of values that repeat, as its bytes in a file: each value once, and of each row which it is.
//!
//! Who writes values one by one has each of them hashed and compared again. Here it is known already which ones are the same:
//! nearly all texts of a trace are handles, of which there are few. The format's pages are described at
//! <https://parquet.apache.org/docs/file-format/data-pages/encodings/>: a dictionary page with the values (PLAIN), and a
//! data page with a level for each row, unless all have a value, and the value's number (RLE_DICTIONARY).

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

/// The number of no value.
pub(super) const NULL: u32 = u32::MAX;
/// Values that are packed together: runs of the same one are at least as long.
const PACKED: usize = 8;

/// What the rows of a column have: the values, each as the dictionary has it, and of each row which, or [`NULL`].
pub(super) struct Repeated {
    pub values: Vec<u8>,
    pub distinct: usize,
    pub rows: Vec<u32>,
    /// Between which numbers the values lie, if they are numbers.
    pub bounds: Option<(i64, i64)>,
}

/// The bytes of a column chunk, and what the file says of it.
///
/// # Errors
///
/// What the library says; a page that is too large for the format.
pub(super) fn chunk(column: &ColumnDescPtr, of: &Repeated) -> Result<(Bytes, ColumnCloseResult)> {
    let mut data = Vec::new();
    if column.max_def_level() > 0 {
        // Four bytes for the length of the levels, which is known then.
        data.extend_from_slice(&[0; 4]);
        hybrid(of.rows.iter().map(|&r| u32::from(r != NULL)), 1, &mut data);
        let len = (data.len() - 4) as u32;
        data[..4].copy_from_slice(&len.to_le_bytes());
    }
    // One bit at least: not all readers know of none.
    let width = (usize::BITS - of.distinct.saturating_sub(1).leading_zeros()).max(1);
    data.push(width as u8);
    hybrid(of.rows.iter().copied().filter(|&r| r != NULL), width, &mut data);

    let mut out = TrackedWrite::new(Vec::new());
    let mut pages = SerializedPageWriter::new(&mut out);
    let (packed, whole) = compress(&of.values)?;
    let num_values = of.distinct as u32;
    let page = Page::DictionaryPage { buf: packed, num_values, encoding: Encoding::PLAIN, is_sorted: false };
    let first = pages.write_page(CompressedPage::new(page, whole))?;
    let (packed, whole) = compress(&data)?;
    let page = Page::DataPage {
        buf: packed,
        num_values: of.rows.len() as u32,
        encoding: Encoding::RLE_DICTIONARY,
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    let second = pages.write_page(CompressedPage::new(page, whole))?;
    let bytes = Bytes::from(out.into_inner()?);

    let of_page = |page_type, encoding| PageEncodingStats { page_type, encoding, count: 1 };
    let mut metadata = ColumnChunkMetaData::builder(column.clone())
        .set_compression(Compression::SNAPPY)
        .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
        .set_page_encoding_stats(vec![
            of_page(PageType::DICTIONARY_PAGE, Encoding::PLAIN),
            of_page(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY),
        ])
        .set_total_compressed_size(bytes.len() as i64)
        .set_total_uncompressed_size((first.uncompressed_size + second.uncompressed_size) as i64)
        .set_num_values(of.rows.len() as i64)
        .set_dictionary_page_offset(Some(first.offset as i64))
        .set_data_page_offset(second.offset as i64);
    if let Some((least, most)) = of.bounds {
        let nulls = of.rows.iter().filter(|&&r| r == NULL).count() as u64;
        metadata = metadata.set_statistics(Statistics::int64(Some(least), Some(most), None, Some(nulls), false));
    }
    let closed = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: of.rows.len() as u64,
        metadata: metadata.build()?,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok((bytes, closed))
}

/// Compressed, and how long it was before.
fn compress(bytes: &[u8]) -> Result<(Bytes, usize)> {
    let packed = snap::raw::Encoder::new().compress_vec(bytes);
    Ok((packed.map_err(|e| ParquetError::External(e.into()))?.into(), bytes.len()))
}

/// Appends numbers of `width` bits: those that are the same as a run, others packed, always eight at a time but for the last.
fn hybrid(values: impl Iterator<Item = u32>, width: u32, out: &mut Vec<u8>) {
    let mut values = values.peekable();
    let mut packed: Vec<u32> = Vec::new();
    while let Some(first) = values.next() {
        let mut run = 1u64;
        while values.next_if_eq(&first).is_some() {
            run += 1;
        }
        // What is packed already is filled up to eight; what is left may be a run.
        let fill = (PACKED - packed.len() % PACKED) % PACKED;
        let take = if run - (fill as u64).min(run) < PACKED as u64 { run } else { fill as u64 };
        packed.extend(std::iter::repeat_n(first, take as usize));
        if take < run {
            pack(&packed, width, out);
            packed.clear();
            varint((run - take) << 1, out);
            out.extend_from_slice(&first.to_le_bytes()[..width.div_ceil(8) as usize]);
        }
    }
    pack(&packed, width, out);
}

/// Appends numbers of `width` bits one after the other, from the lowest bit on.
fn pack(values: &[u32], width: u32, out: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    let groups = values.len().div_ceil(PACKED);
    varint((groups as u64) << 1 | 1, out);
    let end = out.len() + groups * width as usize;
    let (mut bits, mut held) = (0u64, 0);
    for &v in values {
        bits |= u64::from(v) << held;
        held += width;
        while held >= 8 {
            out.push(bits as u8);
            bits >>= 8;
            held -= 8;
        }
    }
    if held > 0 {
        out.push(bits as u8);
    }
    out.resize(end, 0);
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads it back, as the format's description has it.
    fn unpack(mut bytes: &[u8], width: u32, count: usize) -> Vec<u32> {
        let mut out = Vec::new();
        while out.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let b = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(b & 0x7f) << shift;
                shift += 7;
                if b & 0x80 == 0 {
                    break;
                }
            }
            if header & 1 == 0 {
                let n = width.div_ceil(8) as usize;
                let mut value = [0; 4];
                value[..n].copy_from_slice(&bytes[..n]);
                bytes = &bytes[n..];
                out.extend(std::iter::repeat_n(u32::from_le_bytes(value), (header >> 1) as usize));
                continue;
            }
            let n = (header >> 1) as usize * PACKED;
            let bit = |i: usize| u32::from(bytes[i / 8] >> (i % 8) & 1);
            let value = |k: usize| (0..width).map(|b| bit(k * width as usize + b as usize) << b).sum::<u32>();
            out.extend((0..n).map(value));
            bytes = &bytes[n * width as usize / 8..];
        }
        assert!(bytes.is_empty());
        out.truncate(count);
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]
        #[test]
        fn runs_and_packed_numbers_are_read_back(
            width in 1u32..20,
            runs in prop::collection::vec((0u32..1 << 20, 1usize..40), 0..30),
        ) {
            let all: Vec<u32> =
                runs.iter().flat_map(|&(v, n)| std::iter::repeat_n(v & ((1 << width) - 1), n)).collect();
            let mut out = Vec::new();
            hybrid(all.iter().copied(), width, &mut out);
            prop_assert_eq!(unpack(&out, width, all.len()), all);
        }
    }
}
