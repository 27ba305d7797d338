//! The one table of the views: the key that shows each, what it is called, and the type that it is.
//!
//! A view costs its own files and one row here. Its tab, its action in `?` and `:`, its key, the manual's line about it
//! and the place where it is made all come from the row.

use crate::base::{spell, text};

/// Hands the table to a macro, after what that macro was given: a view's name in the code, its key, its name on the
/// screen and the same where there is little room, what its action says, and its type below `tui::views`.
macro_rules! catalog {
    ($with:ident! { $($args:tt)* }) => {
        $with! {
            $($args)*
            views {
                Timeline = "1", "timeline", "time", "show the timeline", timeline::Timeline;
                Goroutines = "2", "goroutines", "gorout", "show the goroutines", goroutines::Goroutines;
                Links = "3", "waits", "waits", "show the waits: who was blocked by whom", links::Links;
                Stacks = "4", "stacks", "stack", "show the stacks", stacks::Stacks;
                Events = "5", "events", "event", "show the events", events::Events;
                Maps = "6", "maps", "maps", "show operations on maps", maps::Maps;
                Runtime = "7", "runtime", "gc", "show GC and scheduler", runtime::Runtime;
                Tasks = "8", "tasks", "tasks", "show requests, calls, tasks and regions", tasks::Tasks;
                Profile = "9", "profile", "prof", "show the profile", profile::Profile;
                Findings = "0", "findings", "find", "show what is wrong: findings", findings::Findings;
            }
        }
    };
}
pub(in crate::tui) use catalog;

macro_rules! ids {
    (views { $($view:ident = $key:literal, $name:literal, $short:literal, $about:literal, $($path:ident)::+;)* }) => {
        /// The views that a number key shows.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs)] // The names say it.
        pub enum ViewId { $($view,)* }

        impl ViewId {
            /// All views, in the order of their keys.
            pub const ALL: &[ViewId] = &[$(ViewId::$view,)*];

            /// The number key.
            pub fn number(self) -> char {
                match self { $(ViewId::$view => char::from($key.as_bytes()[0]),)* }
            }

            /// The name in the tab bar.
            pub fn name(self) -> &'static str {
                match self { $(ViewId::$view => $name,)* }
            }

            /// The same where there is little room.
            pub fn short(self) -> &'static str {
                match self { $(ViewId::$view => $short,)* }
            }

            /// Whether it lists the findings.
            pub fn lists_findings(self) -> bool {
                self == ViewId::Findings
            }

            /// Whether the cursor can be on what is no goroutine and no group of them: GC, STW, the heap, a P.
            pub fn has_all_rows(self) -> bool {
                matches!(self, ViewId::Timeline | ViewId::Runtime | ViewId::Findings)
            }

            /// The view of that name.
            ///
            /// # Errors
            ///
            /// There is none: a sentence with the nearest name.
            pub fn from_name(name: &str) -> Result<ViewId, String> {
                let found = ViewId::ALL.iter().copied().find(|v| v.name() == name);
                found.ok_or_else(|| {
                    let near = spell::hint_nearest(name, ViewId::ALL.iter().map(|v| v.name()));
                    format!("view: there is no view `{}`{near}", text::escape(name))
                })
            }
        }
    };
}

catalog! { ids! {} }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_the_name_of_its_tab_and_another_is_answered_with_the_nearest() {
        for &v in ViewId::ALL {
            assert_eq!(ViewId::from_name(v.name()), Ok(v));
        }
        let said = ViewId::from_name("wait").unwrap_err();
        assert!(said.contains("`wait`") && said.contains("`waits`"), "{said}");
        let settings = crate::config::Settings::default();
        assert_eq!(ViewId::from_name(&settings.view), Ok(ViewId::Timeline));
    }
}
