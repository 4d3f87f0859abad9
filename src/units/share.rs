/// A share of one as people read it: `83%`. What is not quite all is never shown as all, nor what is not quite nothing as
/// nothing.
pub fn percent(share: f64) -> String {
    let rounded = (share * 100.0).round();
    let shown = if share < 1.0 && rounded >= 100.0 {
        99.0
    } else if share > 0.0 && rounded < 1.0 {
        1.0
    } else {
        rounded
    };
    format!("{shown:.0}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_and_nothing_are_said_of_nothing_else() {
        for (share, text) in [(0.0, "0%"), (0.001, "1%"), (0.834, "83%"), (0.999, "99%"), (1.0, "100%"), (1.5, "150%")] {
            assert_eq!(percent(share), text);
        }
    }
}
