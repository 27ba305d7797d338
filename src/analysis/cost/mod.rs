//! What lines and stacks cost: flame graphs, off-CPU time, hits of a query, a trace joined with profiles of its run.

pub mod flame;
pub mod hits;
pub mod join;
pub mod labels;
pub mod lenses;
pub mod offcpu;
