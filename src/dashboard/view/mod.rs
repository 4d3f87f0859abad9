//! Drawing the dashboard. Pure: reads the state, writes cells.

pub mod form;
