//! A plain binary encoding: little-endian numbers, lists with their length before them. What is read back is bounded by
//! the bytes that are there, whatever they say.

use super::{
    Duration, FrameId, FuncId, GoId, GoIdx, GroupId, ProcId, ProcIdx, StackId, StringId, ThreadId, ThreadIdx, Time,
};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;
use std::hash::Hash;

/// A value that always takes the same number of bytes.
pub trait Plain: Sized {
    /// How many.
    const SIZE: usize;

    /// Appends its bytes.
    fn put(&self, out: &mut Vec<u8>);

    /// The value of `SIZE` bytes; nothing if there is no such value.
    fn get(bytes: &[u8]) -> Option<Self>;
}

/// A value that can be written and read back.
pub trait Encode: Sized {
    /// Appends its bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// Reads it; nothing if the bytes are not such a value.
    fn decode(r: &mut Reader) -> Option<Self>;
}

/// Bytes on their way back into values.
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// At the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { rest: bytes }
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    /// Whether all bytes have been read.
    pub fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The length of a list whose elements take at least `size` bytes each: never more than there can be.
    fn length(&mut self, size: usize) -> Option<usize> {
        let n = usize::try_from(u64::decode(self)?).ok()?;
        (n <= self.rest.len() / size.max(1)).then_some(n)
    }
}

/// The value of type `T` at `at`, which moves past it.
#[inline]
pub fn field<T: Plain>(bytes: &[u8], at: &mut usize) -> Option<T> {
    let from = *at;
    *at += T::SIZE;
    T::get(bytes.get(from..*at)?)
}

macro_rules! numbers {
    ($($t:ty)*) => {$(
        impl Plain for $t {
            const SIZE: usize = size_of::<$t>();

            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }

            #[inline]
            fn get(bytes: &[u8]) -> Option<$t> {
                Some(<$t>::from_le_bytes(bytes.try_into().ok()?))
            }
        }
    )*};
}

numbers!(u8 u16 u32 u64 i64);

/// Makes a struct [`Plain`]: `plain!(Point { x: u32, y: u32 })`; a tuple struct's fields are `0`, `1`, ….
#[macro_export]
macro_rules! plain {
    ($t:ty { $($f:tt: $ft:ty),* $(,)? }) => {
        impl $crate::base::codec::Plain for $t {
            const SIZE: usize = 0 $(+ <$ft as $crate::base::codec::Plain>::SIZE)*;

            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                $(<$ft as $crate::base::codec::Plain>::put(&self.$f, out);)*
            }

            #[inline]
            fn get(bytes: &[u8]) -> Option<Self> {
                let mut at = 0;
                Some(Self { $($f: $crate::base::codec::field::<$ft>(bytes, &mut at)?),* })
            }
        }
    };
}

/// Makes a struct [`Encode`]: each field in turn.
#[macro_export]
macro_rules! encode {
    ($t:ty { $($f:ident),* $(,)? }) => {
        impl $crate::base::codec::Encode for $t {
            fn encode(&self, out: &mut Vec<u8>) {
                $($crate::base::codec::Encode::encode(&self.$f, out);)*
            }

            fn decode(r: &mut $crate::base::codec::Reader) -> Option<Self> {
                Some(Self { $($f: $crate::base::codec::Encode::decode(r)?),* })
            }
        }
    };
}

plain!(Time { 0: i64 });
plain!(Duration { 0: i64 });
plain!(GoId { 0: u64 });
plain!(ProcId { 0: u64 });
plain!(ThreadId { 0: u64 });
plain!(GoIdx { 0: u32 });
plain!(GroupId { 0: u32 });
plain!(ProcIdx { 0: u16 });
plain!(ThreadIdx { 0: u16 });
plain!(StringId { 0: u32 });
plain!(FuncId { 0: u32 });
plain!(FrameId { 0: u32 });
plain!(StackId { 0: u32 });

impl Plain for bool {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(bytes: &[u8]) -> Option<bool> {
        match bytes {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }
}

/// A byte that says whether there is a value, and the value or as many zeros.
impl<T: Plain> Plain for Option<T> {
    const SIZE: usize = 1 + T::SIZE;

    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        match self {
            Some(x) => x.put(out),
            None => out.resize(out.len() + T::SIZE, 0),
        }
    }

    fn get(bytes: &[u8]) -> Option<Option<T>> {
        let mut at = 0;
        if field::<bool>(bytes, &mut at)? { Some(Some(field(bytes, &mut at)?)) } else { Some(None) }
    }
}

impl<const N: usize, T: Plain + Copy + Default> Plain for [T; N] {
    const SIZE: usize = N * T::SIZE;

    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|x| x.put(out));
    }

    #[inline]
    fn get(bytes: &[u8]) -> Option<[T; N]> {
        let mut at = 0;
        let mut all = [T::default(); N];
        for x in &mut all {
            *x = field(bytes, &mut at)?;
        }
        Some(all)
    }
}

macro_rules! tuples {
    ($(($($t:ident $i:tt),*))*) => {$(
        impl<$($t: Plain),*> Plain for ($($t,)*) {
            const SIZE: usize = 0 $(+ $t::SIZE)*;

            #[inline]
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$i.put(out);)*
            }

            #[inline]
            fn get(bytes: &[u8]) -> Option<Self> {
                let mut at = 0;
                Some(($(field::<$t>(bytes, &mut at)?,)*))
            }
        }
    )*};
}

tuples! { (A 0, B 1) (A 0, B 1, C 2) (A 0, B 1, C 2, D 3) }

impl<T: Plain> Encode for T {
    #[inline]
    fn encode(&self, out: &mut Vec<u8>) {
        self.put(out);
    }

    #[inline]
    fn decode(r: &mut Reader) -> Option<T> {
        T::get(r.take(T::SIZE)?)
    }
}

impl<T: Plain> Encode for Vec<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.reserve(self.len() * T::SIZE);
        self.iter().for_each(|x| x.put(out));
    }

    fn decode(r: &mut Reader) -> Option<Vec<T>> {
        let n = r.length(T::SIZE)?;
        let mut all = Vec::with_capacity(n);
        for bytes in r.take(n * T::SIZE)?.chunks_exact(T::SIZE.max(1)) {
            all.push(T::get(bytes)?);
        }
        Some(all)
    }
}

impl<A: smallvec::Array> Encode for SmallVec<A>
where
    A::Item: Plain,
{
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|x| x.put(out));
    }

    fn decode(r: &mut Reader) -> Option<SmallVec<A>> {
        let n = r.length(A::Item::SIZE)?;
        r.take(n * A::Item::SIZE)?.chunks_exact(A::Item::SIZE.max(1)).map(A::Item::get).collect()
    }
}

impl<K: Plain + Eq + Hash, V: Plain> Encode for FxHashMap<K, V> {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (k, v) in self {
            k.put(out);
            v.put(out);
        }
    }

    fn decode(r: &mut Reader) -> Option<FxHashMap<K, V>> {
        let size = K::SIZE + V::SIZE;
        let n = r.length(size)?;
        let mut map = FxHashMap::with_capacity_and_hasher(n, Default::default());
        for bytes in r.take(n * size)?.chunks_exact(size.max(1)) {
            let mut at = 0;
            map.insert(field(bytes, &mut at)?, field(bytes, &mut at)?);
        }
        Some(map)
    }
}

impl Encode for String {
    fn encode(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn decode(r: &mut Reader) -> Option<String> {
        let n = r.length(1)?;
        std::str::from_utf8(r.take(n)?).ok().map(str::to_owned)
    }
}

/// Writes a list of values that are not [`Plain`].
pub fn encode_list<T: Encode>(list: &[T], out: &mut Vec<u8>) {
    (list.len() as u64).put(out);
    list.iter().for_each(|x| x.encode(out));
}

/// Reads what [`encode_list`] wrote.
pub fn decode_list<T: Encode>(r: &mut Reader) -> Option<Vec<T>> {
    let n = r.length(1)?;
    // An element may be larger in memory than in the file: what is not there is not allocated for.
    let mut all = Vec::with_capacity(n.min(r.rest.len() / size_of::<T>().max(1) + 1));
    for _ in 0..n {
        all.push(T::decode(r)?);
    }
    Some(all)
}

/// A number of 64 bits for some bytes, the same on every machine and in every version: to notice damage and to tell
/// files apart, not against somebody who wants two to be alike. Four sums side by side, each step of which can be
/// undone, so that a change of any single word changes the result.
pub fn digest(bytes: &[u8], seed: u64) -> u64 {
    let mut d = Digest::new(seed);
    d.add(bytes);
    d.finish()
}

/// A [`digest`] of bytes that come piece by piece.
pub struct Digest {
    sums: [u64; 4],
    len: u64,
    /// The bytes of a block that is not whole yet, `len` of them modulo the length of a block.
    begun: [u8; BLOCK],
}

/// Bytes that are taken at once.
const BLOCK: usize = 32;
const ODD: [u64; 4] = [0x9e37_79b9_7f4a_7c15, 0xc2b2_ae3d_27d4_eb4f, 0x1656_67b1_9e37_79f9, 0xd6e8_feb8_6659_fd93];

impl Digest {
    /// Of nothing yet.
    pub fn new(seed: u64) -> Digest {
        Digest { sums: ODD.map(|k| k ^ seed), len: 0, begun: [0; BLOCK] }
    }

    fn step(&mut self, block: &[u8]) {
        for ((sum, word), odd) in self.sums.iter_mut().zip(block.chunks_exact(8)).zip(ODD) {
            let word = u64::from_le_bytes(word.try_into().expect("words have eight bytes"));
            *sum = (*sum ^ word).wrapping_mul(odd).rotate_left(29);
        }
    }

    /// Adds what comes next.
    pub fn add(&mut self, mut bytes: &[u8]) {
        let begun = (self.len % BLOCK as u64) as usize;
        self.len += bytes.len() as u64;
        if begun > 0 {
            let n = bytes.len().min(BLOCK - begun);
            self.begun[begun..begun + n].copy_from_slice(&bytes[..n]);
            bytes = &bytes[n..];
            if begun + n < BLOCK {
                return;
            }
            let block = self.begun;
            self.step(&block);
        }
        let mut blocks = bytes.chunks_exact(BLOCK);
        for block in &mut blocks {
            self.step(block);
        }
        let rest = blocks.remainder();
        self.begun[..rest.len()].copy_from_slice(rest);
    }

    /// The number.
    pub fn finish(mut self) -> u64 {
        let mut last = [0u8; BLOCK];
        let begun = (self.len % BLOCK as u64) as usize;
        last[..begun].copy_from_slice(&self.begun[..begun]);
        self.step(&last);
        self.sums.into_iter().fold(self.len, |h, sum| {
            let h = (h ^ sum).wrapping_mul(ODD[0]);
            h ^ h >> 32
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(PartialEq, Debug, Clone)]
    struct Thing {
        name: String,
        points: Vec<(u32, Option<Time>)>,
        by: FxHashMap<StringId, u64>,
    }
    encode!(Thing { name, points, by });

    proptest! {
        #[test]
        fn what_is_written_is_read_back(name in ".*", points in prop::collection::vec((any::<u32>(), any::<Option<i64>>()), 0..20), by in prop::collection::vec((any::<u32>(), any::<u64>()), 0..20)) {
            let points = points.into_iter().map(|(a, b)| (a, b.map(Time))).collect();
            let thing = Thing { name, points, by: by.into_iter().map(|(k, v)| (StringId(k), v)).collect() };
            let mut bytes = Vec::new();
            encode_list(&[thing.clone(), thing.clone()], &mut bytes);
            let mut r = Reader::new(&bytes);
            prop_assert_eq!(decode_list::<Thing>(&mut r).unwrap(), [thing.clone(), thing]);
            prop_assert!(r.at_end());
            for cut in 0..bytes.len() {
                prop_assert!(decode_list::<Thing>(&mut Reader::new(&bytes[..cut])).is_none());
            }
        }

        #[test]
        fn any_change_of_a_byte_changes_the_digest(mut bytes in prop::collection::vec(any::<u8>(), 1..200), at in any::<prop::sample::Index>(), flip in 1u8..) {
            let before = digest(&bytes, 1);
            prop_assert_ne!(before, digest(&bytes, 2));
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_ne!(before, digest(&bytes, 1));
        }
    }

    #[test]
    fn lengths_that_cannot_be_are_refused_before_anything_is_allocated() {
        let mut bytes = Vec::new();
        (u64::MAX / 2).put(&mut bytes);
        bytes.extend([0; 100]);
        assert!(Vec::<u64>::decode(&mut Reader::new(&bytes)).is_none());
        assert!(String::decode(&mut Reader::new(&bytes)).is_none());
        assert!(FxHashMap::<u32, u64>::decode(&mut Reader::new(&bytes)).is_none());
        assert!(decode_list::<Thing>(&mut Reader::new(&bytes)).is_none());
    }
}
