use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::depot::promise::Ecosystem;

/// Fetches of fewer bytes say how long an answer takes to begin; longer ones say how fast it comes.
const SMALL: u64 = 64 * 1024;
/// The weight of the newest fetch.
const WEIGHT: f64 = 0.2;

/// How fast each ecosystem's registries have been lately: what a hit's saving is estimated with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Rates(BTreeMap<Ecosystem, Rate>);

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(default)]
struct Rate {
    latency_ms: Option<f64>,
    bytes_per_ms: Option<f64>,
}

impl Rates {
    /// One fetch, measured.
    #[expect(clippy::cast_precision_loss, reason = "an average of measurements is no exact number")]
    pub fn observe(&mut self, ecosystem: Ecosystem, bytes: u64, elapsed_ms: u64) {
        let rate = self.0.entry(ecosystem).or_default();
        let elapsed = elapsed_ms as f64;
        if bytes < SMALL {
            blend(&mut rate.latency_ms, elapsed);
        } else {
            let moving = (elapsed - rate.latency_ms.unwrap_or_default()).max(1.0);
            blend(&mut rate.bytes_per_ms, bytes as f64 / moving);
        }
    }

    /// What fetching so many bytes would take, less what serving them took; 0 before anything was measured.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, cast saturating"
    )]
    pub fn saved_ms(&self, ecosystem: Ecosystem, bytes: u64, elapsed_ms: u64) -> u64 {
        let Some(rate) = self.0.get(&ecosystem) else { return 0 };
        let moving = rate.bytes_per_ms.map_or(0.0, |speed| bytes as f64 / speed.max(f64::MIN_POSITIVE));
        ((rate.latency_ms.unwrap_or_default() + moving) as u64).saturating_sub(elapsed_ms)
    }
}

fn blend(average: &mut Option<f64>, newest: f64) {
    *average = Some(average.map_or(newest, |average| average + WEIGHT * (newest - average)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saving_is_latency_and_transfer_less_what_serving_took() {
        let mut rates = Rates::default();
        assert_eq!(rates.saved_ms(Ecosystem::Pypi, 1 << 20, 5), 0);
        rates.observe(Ecosystem::Pypi, 100, 50);
        rates.observe(Ecosystem::Pypi, 1_000_000, 1_050);
        assert_eq!(rates.saved_ms(Ecosystem::Pypi, 2_000_000, 10), 2_040);
        assert_eq!(rates.saved_ms(Ecosystem::Pypi, 2_000_000, 9_999), 0);
        assert_eq!(rates.saved_ms(Ecosystem::Npm, 2_000_000, 0), 0);
        rates.observe(Ecosystem::Pypi, 100, 100);
        assert_eq!(rates.saved_ms(Ecosystem::Pypi, 0, 0), 60);
    }

    #[test]
    fn no_measurement_makes_nonsense() {
        let mut rates = Rates::default();
        rates.observe(Ecosystem::Npm, u64::MAX, 0);
        rates.observe(Ecosystem::Npm, SMALL, u64::MAX);
        assert!(rates.saved_ms(Ecosystem::Npm, u64::MAX, 0) > 0);
    }
}
