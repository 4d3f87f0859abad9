//! What runs inside containers.
