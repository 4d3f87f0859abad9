//! How a path is completed, as a shell does it: what all candidates share is typed, and then they are shown.

/// What is known of how a path could go on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Completion {
    /// What was asked, with its number.
    asked: Option<(u64, String)>,
    /// The text that nothing more can be typed for.
    exhausted: Option<String>,
    /// What it could go on as, where there are several.
    pub candidates: Vec<String>,
}

impl Completion {
    /// Whether there could be more to find for this text.
    pub(super) fn is_open(&self, text: &str) -> bool {
        !text.is_empty() && self.exhausted.as_deref() != Some(text)
    }

    /// It is asked for.
    pub(super) fn ask(&mut self, number: u64, text: &str) {
        self.asked = Some((number, text.to_owned()));
    }

    /// The text is another: what was found for the one before is no more to be seen.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// What came of it: another text, where there is one. An answer to anything but the latest question, or to a text that
    /// has changed since, is not taken.
    pub(super) fn came(&mut self, number: u64, text: &str, mut found: Vec<String>) -> Option<String> {
        if self.asked.take_if(|(asked, _)| *asked == number)?.1 != text {
            return None;
        }
        // No workspace may be called that, and a line would show another name than it has.
        found.retain(|path| !path.chars().any(char::is_control));
        let longer = shared(&found).filter(|shared| shared.len() > text.len() && shared.starts_with(text)).map(str::to_owned);
        // When a whole name was typed there may be more inside it; when nothing was, there is no more to find.
        self.exhausted = longer.is_none().then(|| text.to_owned());
        self.candidates = if found.len() > 1 { found } else { Vec::new() };
        longer
    }
}

/// What all of them begin with.
fn shared(texts: &[String]) -> Option<&str> {
    let (first, others) = texts.split_first()?;
    let mut end = first.len();
    for other in others {
        let same =
            first.char_indices().zip(other.chars()).find(|((_, a), b)| a != b).map_or(first.len().min(other.len()), |((at, _), _)| at);
        end = end.min(same);
    }
    Some(&first[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn came(completion: &mut Completion, text: &str, found: &[&str]) -> Option<String> {
        completion.ask(7, text);
        completion.came(7, text, found.iter().map(|path| (*path).to_owned()).collect())
    }

    #[test]
    fn what_all_share_is_typed_and_the_rest_is_shown() {
        let mut completion = Completion::default();
        assert_eq!(came(&mut completion, "s", &["src/", "srv/"]).as_deref(), Some("sr"));
        assert_eq!(completion.candidates, ["src/", "srv/"]);
        assert!(completion.is_open("sr"));
        assert_eq!(came(&mut completion, "sr", &["src/", "srv/"]), None);
        assert!(!completion.is_open("sr") && completion.is_open("src"));
        assert_eq!(came(&mut completion, "src", &["src/"]).as_deref(), Some("src/"));
        assert!(completion.candidates.is_empty() && completion.is_open("src/"));
        assert_eq!(came(&mut completion, "src/", &[]), None);
        assert!(!completion.is_open("src/") && !completion.is_open(""));
    }

    #[test]
    fn a_late_answer_or_a_name_that_acts_is_not_taken() {
        let mut completion = Completion::default();
        completion.ask(1, "a");
        completion.ask(2, "ab");
        assert_eq!(completion.came(1, "ab", vec!["abc/".to_owned()]), None);
        assert_eq!(completion.came(2, "abx", vec!["abxy/".to_owned()]), None);
        assert_eq!(came(&mut completion, "a", &["a\u{1b}[2J/"]), None);
        assert_eq!(came(&mut completion, "é", &["éa/", "éâ/"]), None);
    }
}
