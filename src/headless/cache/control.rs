use super::document::CacheControl;
use crate::backend::engine::Progress;
use crate::backend::{Backend, Reporter};
use crate::depot::control::{ControlReport, ControlVerb};
use crate::failure::{Code, Failure};
use crate::headless::document::{Document, ErrorBody};
use crate::headless::progress::{Plain, TerminalReporter};
use crate::headless::{Context, Done, Stop};
use crate::units::Bytes;

/// Has the depot look after its store.
pub async fn control(context: &Context, backend: &Backend, verb: &ControlVerb) -> Done {
    let reporter = TerminalReporter::new(&context.output, Plain::Silent);
    let (action, doing) = words(verb);
    reporter.step(doing);
    let report = backend
        .cache_control(verb, &mut |done, total| {
            reporter.progress(&Progress { item: "store".into(), text: doing.into(), amount: Some((done, Some(total))) });
        })
        .await;
    reporter.finish();
    let report = report?;
    let failure = damage(&report);
    let exit = failure.as_ref().map_or(0, |failure| failure.code.exit_code());
    if context.output.is_json() {
        context.output.document(&Document::with_error(CacheControl { action, report }, failure.as_ref().map(ErrorBody::from)));
        return Ok(exit);
    }
    context.output.text(&sentence(verb, &report));
    failure.map_or(Ok(0), |failure| Err(Stop { failure, exit }))
}

const fn words(verb: &ControlVerb) -> (&'static str, &'static str) {
    match verb {
        ControlVerb::Verify => ("verify", "reading the store"),
        ControlVerb::Prune { .. } => ("prune", "pruning the store"),
        ControlVerb::Clear => ("clear", "clearing the store"),
    }
}

fn sentence(verb: &ControlVerb, report: &ControlReport) -> String {
    let size = Bytes::new(report.bytes);
    match verb {
        ControlVerb::Verify if report.damaged.is_empty() => format!("{} files, {size}: all are what they should be\n", report.blobs),
        ControlVerb::Verify => format!("{} files, {size}: {} damaged and removed\n", report.blobs, report.damaged.len()),
        ControlVerb::Prune { .. } | ControlVerb::Clear => format!("{} files removed, {size}\n", report.blobs),
    }
}

/// Found, removed, and all the same a reason to look at the disk: a script must see it.
fn damage(report: &ControlReport) -> Option<Failure> {
    const SHOWN: usize = 20;
    let count = report.damaged.len();
    let first = report.damaged.first()?;
    let failure = Failure::new(Code::Io, format!("{count} files in the store were not what they should be, and are removed"));
    let failure = failure.detail(first.clone());
    let failure = report.damaged.iter().take(SHOWN).skip(1).fold(failure, |failure, digest| failure.detail(digest.clone()));
    let failure = if count > SHOWN { failure.detail(format!("and {} more", count - SHOWN)) } else { failure };
    Some(failure.hint("sessions fetch them anew; where it happens again, the disk or its memory fails, or someone wrote to the volume"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_with_damage_is_a_failure_that_names_it() {
        let whole = ControlReport { blobs: 3, bytes: 1 << 20, damaged: Vec::new() };
        assert_eq!(
            (damage(&whole), sentence(&ControlVerb::Verify, &whole)),
            (None, "3 files, 1 MiB: all are what they should be\n".into())
        );
        let struck = ControlReport { damaged: (0..30).map(|at| format!("sha256:{at}\u{1b}")).collect(), ..whole };
        let failure = damage(&struck).unwrap();
        assert!(failure.details.len() == 21 && failure.details[20] == "and 10 more", "{failure}");
        assert!(!failure.to_string().contains('\u{1b}') && failure.code.exit_code() == 1);
    }
}
