//! What the viewer is without a screen: its state, where the user has been, what keys mean, and the jobs beside it.

pub mod action;
pub mod beside;
pub mod catalog;
pub mod found;
pub mod hits;
pub mod jobs;
pub mod keymap;
pub mod live;
pub mod marks;
pub mod model;
pub mod nav;
mod registry;
pub mod route;
pub mod runner;
pub mod search;
pub mod shared_jobs;
pub mod sheet;
pub mod view;
pub mod waited;
pub mod zoom;
