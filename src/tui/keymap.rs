//! Keys, how they are written, and which action each means where.
