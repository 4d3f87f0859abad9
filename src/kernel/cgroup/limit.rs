use crate::session::LimitFact;

/// Version 1 writes "no limit" as the largest number of pages that fits.
const UNLIMITED_V1: u64 = 1 << 62;

pub(super) fn parse_limit(text: &str) -> LimitFact {
    match text.trim() {
        "max" => LimitFact::Unlimited,
        number => match number.parse::<u64>() {
            Ok(number) if number >= UNLIMITED_V1 => LimitFact::Unlimited,
            Ok(number) => LimitFact::Limited(number),
            Err(_) => LimitFact::Unreadable,
        },
    }
}

/// Billionths of a CPU from a quota (`max` or -1 for none) and a period, both in microseconds.
pub(super) fn share(quota: &str, period: &str) -> LimitFact {
    if matches!(quota, "max" | "-1") {
        return LimitFact::Unlimited;
    }
    match (quota.parse::<u128>(), period.parse::<u128>()) {
        (Ok(quota), Ok(period)) if period > 0 => {
            u64::try_from(quota.saturating_mul(1_000_000_000) / period).map_or(LimitFact::Unlimited, LimitFact::Limited)
        }
        _ => LimitFact::Unreadable,
    }
}

pub(super) fn sum(memory: LimitFact, swap: LimitFact) -> LimitFact {
    match (memory, swap) {
        (LimitFact::Limited(memory), LimitFact::Limited(swap)) => LimitFact::Limited(memory.saturating_add(swap)),
        (LimitFact::Unreadable, _) | (_, LimitFact::Unreadable) => LimitFact::Unreadable,
        _ => LimitFact::Unlimited,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_told_from_a_limit_and_from_no_file() {
        for (text, limit) in [
            ("max\n", LimitFact::Unlimited),
            ("9223372036854771712\n", LimitFact::Unlimited),
            ("100\n", LimitFact::Limited(100)),
            ("", LimitFact::Unreadable),
            ("-1\n", LimitFact::Unreadable),
        ] {
            assert_eq!(parse_limit(text), limit, "{text:?}");
        }
        assert_eq!(share("-1", "100000"), LimitFact::Unlimited);
        assert_eq!(share("max", "100000"), LimitFact::Unlimited);
        assert_eq!(share("200000", "100000"), LimitFact::Limited(2_000_000_000));
        assert_eq!(share("1", "0"), LimitFact::Unreadable);
        assert_eq!(sum(LimitFact::Limited(1), LimitFact::Unreadable), LimitFact::Unreadable);
        assert_eq!(sum(LimitFact::Limited(1), LimitFact::Unlimited), LimitFact::Unlimited);
    }
}
