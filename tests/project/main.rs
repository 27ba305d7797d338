//! The project itself: its layers and files, its words, its documents, and what it offers to other programs.

#[path = "../common/mod.rs"]
mod common;

mod facade;
mod house;
mod layering;
mod readme;
mod words;
