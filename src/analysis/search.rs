//! Finds the events that answer a query.
