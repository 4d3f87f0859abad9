//! Which CPUs a session sees, in cpuset(7) list form: `0-1,3`. Empty is all of them.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::units::{ParseError, sanitise};

/// A set of CPU numbers; the empty set stands for every CPU.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::policy) struct CpuList(BTreeSet<u16>);

impl CpuList {
    /// No kernel is built for more (`NR_CPUS`).
    const HIGHEST: u16 = 8191;

    /// Whether every CPU of this one is in `other` too.
    pub(in crate::policy) fn is_within(&self, other: &Self) -> bool {
        other.0.is_empty() || (!self.0.is_empty() && self.0.is_subset(&other.0))
    }
}

impl FromStr for CpuList {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let number = |part: &str| {
            let digits = !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| part.parse::<u16>().ok()).flatten().filter(|cpu| *cpu <= Self::HIGHEST)
        };
        let range = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(first..=last)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges.map(|ranges| Self(ranges.into_iter().flatten().collect())).ok_or_else(|| {
            let shown: String = text.chars().take(80).collect();
            ParseError(format!("'{}' is not a list of CPUs: give one such as 0-1,3", sanitise(&shown)))
        })
    }
}

impl fmt::Display for CpuList {
    /// The one canonical form, which is also the kernel's: sorted, neighbours joined.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut runs: Vec<(u16, u16)> = Vec::new();
        for &cpu in &self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == cpu => *last = cpu,
                _ => runs.push((cpu, cpu)),
            }
        }
        for (index, (first, last)) in runs.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            if first == last { write!(f, "{comma}{first}")? } else { write!(f, "{comma}{first}-{last}")? }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> CpuList {
        text.parse().unwrap()
    }

    #[test]
    fn a_list_has_one_canonical_form() {
        for (text, canonical) in [("", ""), ("0", "0"), ("3,0-1", "0-1,3"), ("0,1,2", "0-2"), ("2-2,4,5", "2,4-5")] {
            assert_eq!(list(text).to_string(), canonical);
        }
        for text in [" ", "a", "1-", "-1", "3-1", "0,,1", "0, 1", "8192", "99999", "0-1-2", "+1"] {
            assert!(text.parse::<CpuList>().is_err(), "{text}");
        }
    }

    #[test]
    fn fewer_cpus_are_within_more_and_the_empty_list_is_all() {
        assert!(list("0").is_within(&list("0-3")) && list("0").is_within(&list("")) && list("").is_within(&list("")));
        assert!(!list("4").is_within(&list("0-3")) && !list("").is_within(&list("0-3")) && !list("0-4").is_within(&list("0-3")));
    }
}
