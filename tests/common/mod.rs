//! What the integration tests share.

pub mod corpus;
pub mod schema;
