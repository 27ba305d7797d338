//! What stands around the views: the title, the tabs, the lines between panes and the foot, and where everything goes.

pub mod ascii;
pub mod footer;
pub mod layout;
pub mod tabs;
pub mod title;
