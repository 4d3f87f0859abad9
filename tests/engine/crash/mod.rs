//! A palisade that is killed at any of its requests, an engine that is killed under it, many palisades at once: what one next
//! command makes of what they left. On an engine of their own, where everything can be counted.

mod decoys;
mod engine_killed;
mod full_disk;
mod killer;
mod labels;
mod prune;
mod race;
mod scene;
mod slow_registry;
mod stories;
mod sweeps;
mod twice;
mod updates;
