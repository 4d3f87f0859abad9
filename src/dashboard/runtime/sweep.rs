//! What `reap` does, now and then: nobody waits for it, and it says something only where it did something.

use std::time::Duration;

use tokio::time::sleep;

use super::Link;
use crate::dashboard::app::Message;

/// How often. The first time only after as long: whoever opens the dashboard looks at sessions first.
const EVERY: Duration = Duration::from_mins(1);

/// Sweeps until nobody hears.
pub async fn sweep(link: Link) {
    loop {
        sleep(EVERY).await;
        // An engine that is away is told of by who watches it.
        if let Ok(reaped) = link.backend.reap(false).await
            && !reaped.is_empty()
        {
            link.tell(Message::Reaped(reaped)).await;
        }
    }
}
