//! The engine's adapter and the copying of files, on a real engine: they fail where none answers.

mod bench;
mod copies;
mod images;
mod lifecycle;
mod streams;
mod watching;
