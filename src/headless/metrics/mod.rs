//! `metrics`: figures for a monitoring system, in the text format of `OpenMetrics`, once or at an address.

mod exposition;
mod gather;
mod serve;

use std::net::SocketAddr;

use super::{Context, Done};
use crate::backend::Backend;

/// Prints them once.
pub async fn once(context: &Context, backend: &Backend) -> Done {
    let mut watch = gather::Watch::default();
    let seen = watch.look(backend).await;
    if let Err(failure) = &seen.sessions {
        return Err(failure.clone().into());
    }
    context.output.text(&exposition::text(&seen)?);
    Ok(0)
}

/// Serves them until told to end.
pub async fn listen(context: &Context, backend: &Backend, address: SocketAddr) -> Done {
    serve::serve(context, backend, address).await
}
