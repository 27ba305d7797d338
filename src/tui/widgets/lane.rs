//! One lane of the timeline.
