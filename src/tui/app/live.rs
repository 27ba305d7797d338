//! A recording that the viewer shows while it is being made.

use super::beside::Beside;
use crate::analysis::profile::Profiled;
use crate::base::text;
use crossbeam_channel::Receiver;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What the viewer has of a recording that is being made, beside its trace, which grows.
pub struct Live {
    /// How far it is; the last one says that it is over.
    pub steps: Receiver<Step>,
    /// Set to end it.
    pub stop: Arc<AtomicBool>,
}

/// How far a recording is.
pub enum Step {
    /// More of the trace may have come.
    Going(Going),
    /// No more comes; what was taken beside the trace.
    Over(Recorded),
}

/// A recording that goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Going {
    /// How long.
    pub elapsed: Duration,
    /// Bytes of the trace a second, so far.
    pub rate: u64,
}

/// What was taken beside a trace.
#[derive(Default)]
pub struct Recorded {
    /// Profiles.
    pub profiles: Vec<Arc<Profiled>>,
    /// Texts that say something of the trace's goroutines.
    pub beside: Beside,
    /// What could not be had, in a plain sentence that is safe to show.
    pub failed: Option<String>,
}

impl std::fmt::Debug for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorded({} profiles)", self.profiles.len())
    }
}

impl Going {
    /// What the title says of it; `stopping` if it has been told to end.
    pub fn words(self, stopping: bool) -> String {
        let seconds = self.elapsed.as_secs();
        match stopping {
            true => format!("recording {seconds} s · ending"),
            false => format!("recording {seconds} s · {}/s · Esc/q stops", text::bytes(self.rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::jobs::Effect;
    use super::super::keymap::{Key, Keymap};
    use super::super::model::{Message, Model};
    use super::*;
    use crate::tui::theme::{Background, ColorLevel, Theme};
    use ratatui::buffer::Buffer;
    use ratatui::layout::{Rect, Size};

    fn row(m: &Model, y: u16) -> String {
        let mut buf = Buffer::empty(Rect::new(0, 0, 140, 30));
        m.render(&mut buf);
        (0..140).map(|x| buf[(x, y)].symbol().to_owned()).collect()
    }

    /// What a key does: whether the recording is to end, and whether the viewer is.
    fn press(m: &mut Model, keys: &str) -> (bool, bool) {
        let effects = m.update(Message::Key(Key::parse_all(keys).unwrap()[0].to_event()));
        let any = |f: &dyn Fn(&Effect) -> bool| effects.iter().any(f);
        (any(&|e| matches!(e, Effect::StopRecording)), any(&|e| matches!(e, Effect::Quit)))
    }

    #[test]
    fn the_first_q_or_escape_ends_the_recording_and_the_next_q_the_viewer() {
        for first in ["q", "<Esc>"] {
            let theme = Theme::new(ColorLevel::True, Background::Dark, false);
            let trace = crate::read::fixture::trace();
            let mut m = Model::new(trace, "x".into(), theme, Keymap::default(), Size::new(140, 30));
            let going = Going { elapsed: Duration::from_millis(7_400), rate: 3_250_586 };
            m.update(Message::Recording(going));
            assert!(row(&m, 0).contains("recording 7 s · 3.10MB/s · Esc/q stops"), "{}", row(&m, 0));
            // Escape first takes back what was done in the viewer.
            assert_eq!((press(&mut m, "?"), press(&mut m, "<Esc>")), ((false, false), (false, false)));
            assert_eq!(press(&mut m, first), (true, false), "{first}");
            assert!(row(&m, 0).contains("recording 7 s · ending"), "{}", row(&m, 0));
            assert_eq!(press(&mut m, "<Esc>"), (false, false), "it has been told");
            m.update(Message::Recorded(Recorded::default()));
            assert!(!row(&m, 0).contains("recording"), "{}", row(&m, 0));
            assert_eq!(press(&mut m, "q"), (false, true));
        }
    }
}
