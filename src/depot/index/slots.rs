use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Waiting, MutexGuard as Held};

/// One lock for each thing that is being worked on, while anyone is: what a sandbox may name is without number.
#[derive(Default)]
pub struct Slots(Mutex<HashMap<String, Arc<Waiting<()>>>>);

/// A place in the queue for one thing, given up when it is dropped, however the request ended.
pub struct Slot<'a> {
    slots: &'a Slots,
    key: &'a str,
    lock: Option<Arc<Waiting<()>>>,
}

impl Slots {
    /// Takes a place.
    pub fn slot<'a>(&'a self, key: &'a str) -> Slot<'a> {
        let lock = Arc::clone(self.all().entry(key.to_owned()).or_default());
        Slot { slots: self, key, lock: Some(lock) }
    }

    /// How many are held or waited for.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.all().len()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Arc<Waiting<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot<'_> {
    /// Waits for its turn.
    pub async fn lock(&self) -> Option<Held<'_, ()>> {
        match &self.lock {
            Some(lock) => Some(lock.lock().await),
            None => None,
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut all = self.slots.all();
        drop(self.lock.take());
        // Others are counted under the lock that is held here.
        if all.get(self.key).is_some_and(|lock| Arc::strong_count(lock) == 1) {
            all.remove(self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_of_those_who_leave_while_they_wait() {
        let slots = Slots::default();
        let (first, second) = (slots.slot("a"), slots.slot("a"));
        let held = first.lock().await;
        assert!(futures_util::FutureExt::now_or_never(second.lock()).is_none());
        drop(second);
        drop(held);
        assert_eq!(slots.all().len(), 1);
        drop(first);
        assert!(slots.all().is_empty());
    }
}
