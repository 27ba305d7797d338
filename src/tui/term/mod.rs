//! The terminal: the loop that reads its input and draws, what is written to it, and how often.

pub mod encoder;
mod live;
mod out;
mod pace;
pub mod screen;
mod signals;
pub mod tty;
pub mod wait;
