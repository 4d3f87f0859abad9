//! What the dashboard knows and how it changes: [`State`], [`Message`]s in, [`Effect`]s out. Pure: no clock, no
//! engine, no terminal. Time comes as a message, and what is to be done goes out as a value.

pub mod action;
pub mod ask;
pub mod cache;
pub mod detail;
pub mod effect;
pub mod form;
pub mod input;
pub mod job;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod link;
pub mod list;
pub mod log;
pub mod message;
pub mod notice;
pub mod overlay;
pub mod page;
pub mod pointer;
pub mod remote;
pub mod row;
#[cfg(test)]
pub(crate) mod sample;
pub mod signs;
pub mod state;
pub mod subscription;
pub mod terminals;
pub mod totals;
pub mod update;

pub use action::Action;
pub use effect::Effect;
pub use message::Message;
pub use state::State;
pub use update::update;
