use super::types::{Counters, Event, Outcome, Requested};

impl Counters {
    /// Adds one request; `saved_ms` is what its hit is estimated to have saved.
    pub(super) fn count(&mut self, event: &Event, saved_ms: u64) {
        bump(&mut self.requests, 1);
        bump(&mut self.store_bytes, event.store_bytes);
        bump(&mut self.upstream_bytes, event.upstream_bytes);
        match (event.outcome, event.requested) {
            (Outcome::Hit, Requested::Artifact) => {
                bump(&mut self.hits, 1);
                bump(&mut self.saved_bytes, event.store_bytes);
                bump(&mut self.saved_ms_estimated, saved_ms);
            }
            (Outcome::Miss, Requested::Artifact) => bump(&mut self.misses, 1),
            (Outcome::Hit, Requested::Index) => bump(&mut self.index_hits, 1),
            (Outcome::Miss, Requested::Index) => bump(&mut self.index_misses, 1),
            (Outcome::Hit | Outcome::Miss, Requested::Other) => {}
            (Outcome::Revalidated, _) => bump(&mut self.revalidations, 1),
            (Outcome::Stale, _) => bump(&mut self.stale, 1),
            (Outcome::Rejected, _) => bump(&mut self.rejected, 1),
            (Outcome::Denied, _) => bump(&mut self.denied, 1),
            (Outcome::NotFound, _) => bump(&mut self.not_found, 1),
            (Outcome::Failed, _) => bump(&mut self.failed, 1),
        }
    }

    /// Adds what another counted.
    pub fn add(&mut self, other: &Self) {
        // Taken apart by name, so that a counter that is added cannot be forgotten here.
        let Self {
            requests,
            hits,
            misses,
            index_hits,
            index_misses,
            revalidations,
            stale,
            store_bytes,
            upstream_bytes,
            saved_bytes,
            saved_ms_estimated,
            rejected,
            denied,
            not_found,
            failed,
        } = other;
        bump(&mut self.requests, *requests);
        bump(&mut self.hits, *hits);
        bump(&mut self.misses, *misses);
        bump(&mut self.index_hits, *index_hits);
        bump(&mut self.index_misses, *index_misses);
        bump(&mut self.revalidations, *revalidations);
        bump(&mut self.stale, *stale);
        bump(&mut self.store_bytes, *store_bytes);
        bump(&mut self.upstream_bytes, *upstream_bytes);
        bump(&mut self.saved_bytes, *saved_bytes);
        bump(&mut self.saved_ms_estimated, *saved_ms_estimated);
        bump(&mut self.rejected, *rejected);
        bump(&mut self.denied, *denied);
        bump(&mut self.not_found, *not_found);
        bump(&mut self.failed, *failed);
    }
}

fn bump(counter: &mut u64, by: u64) {
    *counter = counter.saturating_add(by);
}
impl<'a> std::iter::Sum<&'a Counters> for Counters {
    fn sum<I: Iterator<Item = &'a Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, counters| {
            sum.add(counters);
            sum
        })
    }
}
