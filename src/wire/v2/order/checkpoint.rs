//! Places in the middle of a generation from which another orderer can go on.

use super::super::batch::Generation;
use super::super::generation::GenTables;
use super::super::stream::{Mark, Stream};
use super::{Cut, Go, Orderer, P, Proc};
use crate::base::codec::Plain;
use crate::base::{GoId, ProcId, ThreadId, Time};
use crate::input::Bytes;
use crate::wire::cursor::Cursor;
use crate::wire::event::{GoState, NONE};
use crate::{encode, plain};
use prost::encoding::encode_varint;
use rustc_hash::FxHashSet;

/// The states that an orderer needs to go on from the middle of a generation.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    threads: Vec<(ThreadId, u32, u16)>,
    marks: Vec<Mark>,
    /// Streams whose head has to wait, in the order in which they are tried.
    parked: Vec<u16>,
    /// Goroutines that there are; threads speak of positions in this list. There may be a million, and a checkpoint is kept for
    /// each segment: each goroutine is three numbers of some bytes, see [`pack`].
    gos: Vec<u8>,
    procs: Vec<(ProcId, Proc)>,
    sample: u64,
    last: Time,
    stw: u32,
}

impl Checkpoint {
    /// Bytes that it takes.
    pub fn bytes(&self) -> usize {
        self.threads.len() * 16 + self.marks.len() * size_of::<Mark>() + self.gos.len() + self.procs.len() * 24
    }
}

plain!(Proc { seq: u64, state: P });
encode!(Checkpoint { threads, marks, parked, gos, procs, sample, last, stw });

/// Appends a goroutine: how far its number is from the one before, its sequence number, its state.
fn pack(out: &mut Vec<u8>, before: u64, (id, go): (GoId, Go)) {
    encode_varint(id.0.wrapping_sub(before), out);
    encode_varint(go.seq(), out);
    out.push(go.state() as u8);
}

/// The goroutines that were packed; none after one that cannot have been.
fn unpack(bytes: &[u8]) -> impl Iterator<Item = (GoId, Go)> + '_ {
    let (mut cursor, mut last) = (Cursor::new(bytes, 0), 0u64);
    std::iter::from_fn(move || {
        let what = "a checkpoint";
        last = last.wrapping_add(cursor.varint(what).ok()?);
        let seq = cursor.varint(what).ok()?;
        let state = *GoState::ALL.get(usize::from(cursor.byte(what).ok()?))?;
        Some((GoId(last), Go::new(seq, state)))
    })
}

impl Plain for P {
    const SIZE: usize = 1;

    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn get(bytes: &[u8]) -> Option<P> {
        [P::Unknown, P::Running, P::Idle, P::Syscall, P::Abandoned].get(usize::from(*bytes.first()?)).copied()
    }
}

impl<'a> Orderer<'a> {
    /// From a checkpoint of the same generation.
    pub fn resume(data: &'a Bytes, g: &Generation, gen_tables: &'a GenTables, cut: Cut, c: &Checkpoint) -> Orderer<'a> {
        let mut o = Orderer::new(data, g, gen_tables, cut);
        for &(thread, go, proc) in &c.threads {
            let t = o.thread(thread.0);
            if let Some(t) = o.threads.get_mut(t as usize) {
                t.go = go;
                t.proc = proc;
            }
        }
        for (id, go) in unpack(&c.gos) {
            let g = o.go(id.0);
            if let Some(slot) = o.gos.get_mut(g) {
                *slot = go;
            }
        }
        for &(id, proc) in &c.procs {
            let p = o.proc(id.0);
            if let Some(slot) = o.procs.get_mut(p as usize) {
                *slot = proc;
            }
        }
        o.next_sample = c.sample as usize;
        o.last = c.last;
        o.stw = c.stw;
        o.started = true;
        for (i, &mark) in c.marks.iter().enumerate() {
            let error = o.streams.get_mut(i).and_then(|s| s.seek(data, &gen_tables.clock, mark).err());
            if let Some(e) = error {
                o.error(*e);
                o.advance(i as u16);
            }
        }
        o.build_frontier();
        for &stream in c.parked.iter().filter(|s| usize::from(**s) < o.streams.len()) {
            o.frontier.set(stream, Time::MAX);
            o.parked.push(stream);
        }
        o
    }

    /// The states as they are now. Goroutines that have ended are left out: there may be far more of them than others.
    /// Unless a thread still has one, which only a damaged file can bring about.
    pub fn checkpoint(&self) -> Checkpoint {
        let (mut gos, mut count, mut last) = (Vec::new(), 0, 0);
        let held: FxHashSet<u32> =
            self.threads.iter().map(|t| t.go).filter(|&g| g != NONE && self.is_over(g)).collect();
        let positions: Vec<u32> = self
            .tables
            .gos
            .iter()
            .zip(self.gos.iter())
            .enumerate()
            .map(|(i, (&id, go))| {
                let i = i as u32;
                if self.is_over(i) && !held.contains(&i) {
                    return NONE;
                }
                pack(&mut gos, last, (id, go));
                last = id.0;
                count += 1;
                count - 1
            })
            .collect();
        gos.shrink_to_fit();
        let position = |go: u32| positions.get(go as usize).copied().unwrap_or(NONE);
        let threads = self.tables.threads.iter().zip(&self.threads).map(|(&id, t)| (id, position(t.go), t.proc));
        Checkpoint {
            threads: threads.collect(),
            marks: self.streams.iter().map(Stream::mark).collect(),
            parked: self.parked.clone(),
            gos,
            procs: self.tables.procs.iter().copied().zip(self.procs.iter().copied()).collect(),
            sample: self.next_sample as u64,
            last: self.last,
            stw: self.stw,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goroutines_are_packed_into_few_bytes_and_come_out_as_they_were() {
        let go = |id, seq, state| (GoId(id), Go::new(seq, state));
        let all = [
            go(1, 1, GoState::Waiting),
            go(900, 0, GoState::NotExist),
            go(17, u64::MAX >> 3, GoState::Running),
            go(u64::MAX, 3, GoState::Syscall),
        ];
        let (mut bytes, mut last) = (Vec::new(), 0);
        for g in all {
            pack(&mut bytes, last, g);
            last = g.0.0;
        }
        let same = |(a, b): (&(GoId, Go), (GoId, Go))| *a == b;
        assert!(all.iter().zip(unpack(&bytes)).all(same) && unpack(&bytes).count() == all.len());
        assert_eq!(unpack(&bytes[..bytes.len() - 1]).count(), all.len() - 1);
        let before = bytes.len();
        pack(&mut bytes, 41, go(42, 5, GoState::Runnable));
        assert_eq!(bytes.len() - before, 3);
    }
}
