use jiff::Timestamp;

const UNITS: [(i64, &str); 6] =
    [(365 * 86_400, "year"), (30 * 86_400, "month"), (7 * 86_400, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute")];

/// How long ago, in the largest unit that leaves at least two: `45 seconds ago`, `3 hours ago`.
pub fn age(now: Timestamp, then: Timestamp) -> String {
    // What was made without a time, so that equal content is equal, says so in this manner.
    if then == Timestamp::UNIX_EPOCH {
        return "-".to_owned();
    }
    let seconds = now.as_second().saturating_sub(then.as_second());
    if seconds < 1 {
        return "now".to_owned();
    }
    for (size, name) in UNITS {
        if seconds >= 2 * size {
            return format!("{} {name}s ago", seconds / size);
        }
    }
    if seconds == 1 { "1 second ago".to_owned() } else { format!("{seconds} seconds ago") }
}

/// The same in a column's width: `45s`, `3h`, `2d`; `-` where there is no time.
pub fn brief_age(now: Timestamp, then: Timestamp) -> String {
    if then == Timestamp::UNIX_EPOCH {
        return "-".to_owned();
    }
    brief_span(u64::try_from(now.as_second().saturating_sub(then.as_second())).unwrap_or(0))
}

/// A span as an age is written: `45s`, `3h`, `2d`.
pub fn brief_span(seconds: u64) -> String {
    const UNITS: [(u64, char); 5] = [(365 * 86_400, 'y'), (7 * 86_400, 'w'), (86_400, 'd'), (3_600, 'h'), (60, 'm')];
    for (size, letter) in UNITS {
        if seconds >= 2 * size {
            return format!("{}{letter}", seconds / size);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_time_has_no_age() {
        assert_eq!(age(Timestamp::from_second(1_000_000_000).unwrap(), Timestamp::UNIX_EPOCH), "-");
    }

    #[test]
    fn a_brief_age_is_at_most_four_characters_for_two_hundred_years() {
        let then = Timestamp::from_second(1_000_000_000).unwrap();
        let after = |seconds: i64| brief_age(Timestamp::from_second(1_000_000_000 + seconds).unwrap(), then);
        assert_eq!([-5, 0, 119, 120, 7_199, 7_200, 86_400 * 3].map(after), ["0s", "0s", "119s", "2m", "119m", "2h", "3d"]);
        assert!((0..34).all(|power| after(1 << power).len() <= 4));
    }

    #[test]
    fn ages_read_as_a_person_says_them() {
        let then = Timestamp::from_second(1_000_000_000).unwrap();
        for (seconds, text) in [
            (-5, "now"),
            (0, "now"),
            (1, "1 second ago"),
            (119, "119 seconds ago"),
            (120, "2 minutes ago"),
            (7_300, "2 hours ago"),
            (86_400 * 3, "3 days ago"),
            (86_400 * 800, "2 years ago"),
        ] {
            assert_eq!(age(Timestamp::from_second(1_000_000_000 + seconds).unwrap(), then), text);
        }
    }
}
