use crate::policy::controls::Control;
use crate::policy::{ControlPosture, Verdict};
use crate::units::Untrusted;

/// One source's column for one control: what it shows, and what speaks against it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Source {
    /// What it shows, in words.
    pub(super) text: String,
    findings: Vec<(Verdict, String)>,
}

/// How many findings a reason spells out; the rest are counted.
const MOST_REASONS: usize = 4;

impl Source {
    /// Shows this and holds, unless a finding is noted.
    pub(super) fn showing(text: impl Into<String>) -> Self {
        Self { text: text.into(), findings: Vec::new() }
    }

    /// Shows this instead.
    pub(super) fn show(&mut self, text: impl Into<String>) {
        self.text = text.into();
    }

    pub(super) fn unknown(text: impl Into<String>, why: impl Into<String>) -> Self {
        let mut source = Self::showing(text);
        source.note_unknown(why.into());
        source
    }

    /// The kernel keeps no trace of this control: the engine alone decides.
    pub(super) fn invisible() -> Self {
        Self::showing("not visible to the kernel")
    }

    pub(super) fn missing(&mut self, why: impl Into<String>) {
        self.findings.push((Verdict::Missing, why.into()));
    }

    pub(super) fn weaker(&mut self, why: impl Into<String>) {
        self.findings.push((Verdict::Weaker, why.into()));
    }

    pub(super) fn note_unknown(&mut self, why: String) {
        self.findings.push((Verdict::Unknown, why));
    }

    fn verdict(&self) -> Verdict {
        self.findings.iter().map(|(verdict, _)| *verdict).max().unwrap_or(Verdict::Enforced)
    }
}

/// The worse of both sources is the verdict; the reason is what was found at that level and above `unknown`.
pub(super) fn compose(control: Control, requested: String, engine: &Source, kernel: &Source) -> ControlPosture {
    let verdict = engine.verdict().max(kernel.verdict());
    let level = verdict.min(Verdict::Weaker);
    let reasons =
        |source: &Source| source.findings.iter().filter(|(found, _)| *found >= level).map(|(_, why)| why.clone()).collect::<Vec<_>>();
    let mut all: Vec<String> = Vec::new();
    for reason in reasons(engine).into_iter().chain(reasons(kernel)) {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    let left_out = all.len().saturating_sub(MOST_REASONS);
    all.truncate(MOST_REASONS);
    let mut reason = all.join("; ");
    if left_out > 0 {
        reason.push_str(&format_args!("; and {left_out} more").to_string());
    }
    ControlPosture {
        control,
        requested,
        engine: Untrusted::from(engine.text.clone()),
        kernel: Untrusted::from(kernel.text.clone()),
        verdict,
        reason: (verdict != Verdict::Enforced).then(|| reason.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn composed(engine: &[(Verdict, &str)], kernel: &[(Verdict, &str)]) -> ControlPosture {
        let source = |findings: &[(Verdict, &str)]| Source {
            text: String::new(),
            findings: findings.iter().map(|(verdict, why)| (*verdict, (*why).to_owned())).collect(),
        };
        compose(Control::Memory, String::new(), &source(engine), &source(kernel))
    }

    #[test]
    fn the_worse_source_decides_and_says_why() {
        use Verdict::{Enforced, Missing, Unknown, Weaker};
        for (engine, kernel, verdict, reason) in [
            (&[][..], &[][..], Enforced, None),
            (&[], &[(Unknown, "not started")], Unknown, Some("not started")),
            (&[(Weaker, "500")], &[(Unknown, "not started")], Weaker, Some("500")),
            (&[(Weaker, "a")], &[(Missing, "b"), (Unknown, "c")], Missing, Some("a; b")),
            (&[(Missing, "same")], &[(Missing, "same")], Missing, Some("same")),
        ] {
            let posture = composed(engine, kernel);
            assert_eq!((posture.verdict, posture.reason.as_ref().map(Untrusted::raw)), (verdict, reason));
        }
    }

    #[test]
    fn a_hundred_findings_are_counted_not_listed() {
        let whys: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let findings: Vec<_> = whys.iter().map(|why| (Verdict::Weaker, why.as_str())).collect();
        assert_eq!(composed(&findings, &[]).reason.unwrap().raw(), "0; 1; 2; 3; and 96 more");
    }
}
