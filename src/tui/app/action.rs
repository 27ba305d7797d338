//! The one list of actions: keymap, `?` overlay, `:` palette and manual are all made from it.

use super::catalog::{ViewId, catalog};

/// Where an action means something. An action of a narrower scope may use a key that a wider one has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Everywhere.
    Global,
    /// In views that show time from left to right.
    Timeline,
    /// In views that show a table.
    Table,
    /// In the view of stacks.
    Stacks,
    /// In the view of a profile, which has the keys of tables and of stacks as well.
    Profile,
    /// In the view of findings.
    Findings,
}

impl Scope {
    /// All scopes, widest first.
    pub const ALL: [Scope; 6] =
        [Scope::Global, Scope::Timeline, Scope::Table, Scope::Stacks, Scope::Profile, Scope::Findings];

    /// Where a key of this scope is looked up, first things first.
    pub fn chain(self) -> &'static [Scope] {
        match self {
            Scope::Global => &[Scope::Global],
            Scope::Timeline => &[Scope::Timeline, Scope::Global],
            Scope::Table => &[Scope::Table, Scope::Global],
            Scope::Stacks => &[Scope::Stacks, Scope::Global],
            Scope::Profile => &[Scope::Profile, Scope::Table, Scope::Stacks, Scope::Global],
            Scope::Findings => &[Scope::Findings, Scope::Global],
        }
    }

    /// Where one is when its keys mean something.
    pub fn place(self) -> &'static str {
        match self {
            Scope::Global => "all views",
            Scope::Timeline => "the timeline",
            Scope::Table => "tables",
            Scope::Stacks => "the stacks view",
            Scope::Profile => "the profile view",
            Scope::Findings => "the findings",
        }
    }

    /// The heading in the `?` overlay.
    pub fn title(self) -> &'static str {
        match self {
            Scope::Global => "everywhere",
            Scope::Timeline => "timeline",
            Scope::Table => "tables",
            Scope::Stacks => "stacks",
            Scope::Profile => "profile; those of tables and stacks as well",
            Scope::Findings => "findings",
        }
    }
}

macro_rules! actions {
    (
        { $($first:ident = $first_text:literal, $first_scope:ident, $first_keys:literal, $first_help:literal;)* }
        { $($name:ident = $text:literal, $scope:ident, $keys:literal, $help:literal;)* }
        views { $($view:ident = $key:literal, $title:literal, $short:literal, $about:literal, $($path:ident)::+;)* }
    ) => {
        /// Something that the user can ask for.
        // Help texts are no links.
        #[allow(rustdoc::broken_intra_doc_links)]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Action {
            $(#[doc = $first_help] $first,)*
            /// show a view
            View(ViewId),
            $(#[doc = $help] $name,)*
        }

        impl Action {
            /// All actions, in the order in which help shows them.
            pub const ALL: &[Action] = &[
                $(Action::$first,)* $(Action::View(ViewId::$view),)* $(Action::$name,)*
            ];

            /// The name in the palette and in the settings file.
            pub fn name(self) -> &'static str {
                match self {
                    $(Action::$first => $first_text,)*
                    $(Action::View(ViewId::$view) => concat!("view-", $title),)*
                    $(Action::$name => $text,)*
                }
            }

            /// What it does, on one line.
            pub fn help(self) -> &'static str {
                match self {
                    $(Action::$first => $first_help,)*
                    $(Action::View(ViewId::$view) => $about,)*
                    $(Action::$name => $help,)*
                }
            }

            /// The keys it has unless the settings say otherwise, separated by spaces.
            pub fn default_keys(self) -> &'static str {
                match self {
                    $(Action::$first => $first_keys,)*
                    $(Action::View(ViewId::$view) => $key,)*
                    $(Action::$name => $keys,)*
                }
            }

            /// Where it applies.
            pub fn scope(self) -> Scope {
                match self {
                    $(Action::$first => Scope::$first_scope,)*
                    Action::View(_) => Scope::Global,
                    $(Action::$name => Scope::$scope,)*
                }
            }
        }
    };
}

// Those that show a view stand between the general ones and those of single views.
catalog! { actions! {
    {
        Left = "left", Global, "h <Left>", "move left";
        Down = "down", Global, "j <Down>", "move down";
        Up = "up", Global, "k <Up>", "move up";
        Right = "right", Global, "l <Right>", "move right";
        Top = "top", Global, "g <Home>", "go to the first row";
        Bottom = "bottom", Global, "G <End>", "go to the last row";
        HalfDown = "half-page-down", Global, "<C-d>", "half a page down";
        HalfUp = "half-page-up", Global, "<C-u>", "half a page up";
        PageDown = "page-down", Global, "<PageDown> <C-f>", "a page down";
        PageUp = "page-up", Global, "<PageUp> <C-b>", "a page up";
        Enter = "enter", Global, "<Enter>", "go into what is under the cursor";
        Escape = "escape", Global, "<Esc>", "go back, or remove the last filter";
        Expand = "expand", Global, "e <Space>", "expand or collapse: a group, a goroutine's stacks, details of a row";
        NextPane = "next-pane", Global, "<Tab>", "move the focus to the next pane";
        PrevPane = "previous-pane", Global, "<S-Tab>", "move the focus to the previous pane";
        Filter = "filter", Global, "/", "search: type a query";
        NextHit = "next-hit", Global, "n", "go to the next hit";
        PrevHit = "previous-hit", Global, "N", "go to the previous hit";
        Hits = "hits", Global, "H", "show or hide the list of hits by line";
        Unblocker = "unblocker", Global, "u", "go to who unblocked this goroutine";
        Unblocked = "unblocked", Global, "U", "go to the goroutine that this one unblocked";
        NextWait = "next-wait", Global, "}", "go to the next wait like this one, whoever waits";
        PrevWait = "previous-wait", Global, "{", "go to the last wait like this one, whoever waits";
        Heat = "heat-map", Global, "z", "show how long waits were over time, or go into that picture of spans";
        Path = "path", Global, "p", "show the critical path of what is under the cursor";
        Chain = "chain", Global, "c", "show the chain of waits behind this one";
        Locks = "locks", Global, "L", "show the locks and channels that goroutines queue for";
        Editor = "editor", Global, "o", "open the source line in your editor";
        Copy = "copy", Global, "y", "copy the line, stack or position";
        Select = "select", Global, "v", "select a time range, in 8 a box; again or Enter to filter by it";
        Narrow = "narrow", Global, "i", "filter by the group, goroutine, function or label under the cursor";
        Bookmark = "bookmark", Global, "b", "bookmark the cursor's instant, goroutine and range, with a note";
        Bookmarks = "bookmarks", Global, "B", "list the bookmarks: go to one, or delete it";
        Back = "back", Global, "[", "go back to where you were";
        Forward = "forward", Global, "]", "go forward again";
        Help = "help", Global, "? <F1>", "show all keys";
        Palette = "palette", Global, ":", "find an action by name, or ask in SQL: sql select …";
        Quit = "quit", Global, "q <C-c>", "leave gotrail";
        Suspend = "suspend", Global, "<C-z>", "go to the shell for a while";
        Redraw = "redraw", Global, "<C-l>", "redraw the screen";
    }
    {
        ZoomIn = "zoom-in", Timeline, "w + =", "zoom in";
        ZoomOut = "zoom-out", Timeline, "s -", "zoom out";
        PanLeft = "pan-left", Timeline, "a", "pan to the left";
        PanRight = "pan-right", Timeline, "d", "pan to the right";
        NextEvent = "next-event", Timeline, ".", "go to the goroutine's next change of state";
        PrevEvent = "previous-event", Timeline, ",", "go to the goroutine's last change of state";
        Fit = "fit", Timeline, "f", "fit the selection, or the whole trace";
        SortPrev = "sort-previous", Table, "<", "sort by the column to the left";
        SortNext = "sort-next", Table, ">", "sort by the column to the right";
        SortReverse = "sort-reverse", Table, "r", "turn the order around";
        StacksOf = "stacks-of", Stacks, "x", "switch between on-CPU, off-CPU, and off-CPU by waker";
        Shape = "flame-or-tree", Stacks, "t", "change between flame graph and tree";
        MyCode = "charge-my-code", Stacks, "m", "attribute runtime and library time to your code that called it, or not";
        Lenses = "lenses", Stacks, "C", "colour or group functions by lens (maps, locks, GC …), or neither";
        SampleType = "sample-type", Profile, "x", "change to the next sample type, or the next profile";
        LeaveOut = "leave-out", Profile, "I", "leave out the stacks with the function or label under the cursor";
        Labels = "labels", Profile, "T", "show the labels (pprof's tags) and what each value costs";
        Variants = "group-variants", Profile, "V", "group variants (mapassign_fast64, F[int]) as one function, or not";
        Normalize = "normalise", Profile, "=", "scale profiles that are compared to the same sum, or not";
        HideRule = "hide-rule", Findings, "x", "hide what the rule under the cursor finds in this trace";
        ShowRules = "show-rules", Findings, "X", "show the findings that are hidden again";
        Less = "less-or-more", Profile, "-", "switch the graph between what grew and what shrank";
    }
} }

impl Action {
    /// The action of that name.
    pub fn from_name(name: &str) -> Option<Action> {
        // What settings files of earlier versions call it.
        let name = if name == "view-links" { "view-waits" } else { name };
        Action::ALL.iter().copied().find(|a| a.name() == name)
    }
}
