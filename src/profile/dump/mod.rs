//! What Go programs tell of themselves as text: their goroutines (`/debug/pprof/goroutine?debug=2`, a program that dies),
//! and the reports of the race detector. The text may be a log with whatever else in it, each line with something before
//! it.

mod frames;
mod goroutines;
mod held;
mod log;
mod races;
#[cfg(test)]
mod tests;

pub use frames::Frame;
pub use goroutines::{Dump, Goroutine};
pub use held::Blocked;
pub use races::{Access, Created, Race};

use crate::base::text;
use log::{Lines, Prefix};

/// All that a text tells.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Its dumps, in their order. One begins where the program dies anew, or a goroutine that was told comes again.
    pub dumps: Vec<Dump>,
    /// Its reports of the race detector, in their order.
    pub races: Vec<Race>,
}

/// How many programs may write into one log at a time: more are told as one.
const MAX_SOURCES: usize = 64;

/// One that writes into the log: what stands before each of its lines, and what it is telling.
struct Source {
    prefix: Prefix,
    dumps: Vec<Dump>,
    goroutines: goroutines::Parser,
    races: races::Parser,
}

impl Source {
    /// What was told so far ends here.
    fn end(&mut self) {
        self.goroutines.end(&mut self.dumps);
        self.races.end();
    }
}

/// Reads all that `bytes` tell. They are UTF-8, as far as it goes; what is none of it is skipped.
pub fn read(bytes: &[u8]) -> Told {
    let mut sources: Vec<Source> = Vec::new();
    let mut active = 0;
    // Why the program died, which stands before its goroutines.
    let mut cause: Option<String> = None;
    let all = text::lossy(bytes);
    Lines::new(&all).each(&mut |n, line| {
        let begins = crate::input::goroutine_in(line).map(|(at, h)| (at, Some(h)));
        let begins = begins.or_else(|| line.find(crate::input::RACE).map(|at| (at, None)));
        if let Some((at, header)) = begins {
            active = source(&mut sources, &line[..at]);
            let s = &mut sources[active];
            s.end();
            match header {
                Some(h) => s.goroutines.begin(&mut s.dumps, &h, cause.take(), n),
                None => s.races.begin(n),
            }
            return;
        }
        if let Some(why) = log::cause(line) {
            cause.get_or_insert_with(|| why.to_owned());
        }
        // Another program's line may stand between two of this one's.
        let order = std::iter::once(active).chain((0..sources.len()).filter(|&i| i != active));
        let of = order.filter(|&i| i < sources.len()).find_map(|i| Some((i, sources[i].prefix.strip(line)?)));
        let (i, content) = match of {
            Some(of) => of,
            // A message of several lines has something before the first alone.
            None if frames::is_bare(line) && active < sources.len() => {
                sources[active].prefix = Prefix::default();
                (active, line)
            }
            None => return,
        };
        let s = &mut sources[i];
        s.goroutines.line(&mut s.dumps, content);
        s.races.line(content);
    });
    let mut told = Told::default();
    for mut s in sources {
        s.end();
        told.dumps.append(&mut s.dumps);
        told.races.append(&mut s.races.done);
    }
    told.dumps.sort_by_key(|d| d.line);
    told.races.sort_by_key(|r| r.line);
    told
}

/// The source whose lines begin with this.
fn source(sources: &mut Vec<Source>, before: &str) -> usize {
    let prefix = Prefix::new(before);
    if let Some(i) = sources.iter().position(|s| s.prefix == prefix) {
        return i;
    }
    if sources.len() == MAX_SOURCES {
        return MAX_SOURCES - 1;
    }
    let (goroutines, races) = (goroutines::Parser::default(), races::Parser::default());
    sources.push(Source { prefix, dumps: Vec::new(), goroutines, races });
    sources.len() - 1
}
