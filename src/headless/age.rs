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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_time_has_no_age() {
        assert_eq!(age(Timestamp::from_second(1_000_000_000).unwrap(), Timestamp::UNIX_EPOCH), "-");
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
