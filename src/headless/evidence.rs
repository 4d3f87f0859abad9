//! `evidence`: what is kept of sessions that have ended, and whether it is as it was written.

use serde::Serialize;
use serde_json::Value;

use super::document::Document;
use super::table::{Fields, Grid, cell};
use super::{Context, Done};
use crate::evidence::{Evidence, Kept, Proof, Shelf};
use crate::failure::{Code, Failure};
use crate::units::{Untrusted, age};

/// `evidence`.
#[derive(Debug, Serialize)]
pub struct Shelved {
    /// In the order of the sessions' launches.
    evidence: Vec<Kept>,
}

/// `evidence verify`.
#[derive(Debug, Serialize)]
pub struct Proved {
    proof: Proof,
}

/// Lists it, or shows what is kept of one session, by its name or id.
pub fn show(context: &Context, shelf: &Shelf, who: Option<&str>) -> Done {
    let mut evidence = shelf.all().map_err(|error| unreadable(shelf, &error))?;
    if let Some(who) = who {
        let (name, id) = (who, who.to_ascii_lowercase());
        evidence.retain(|kept| kept.evidence.run.session.name == name || kept.evidence.run.session.id.starts_with(&id));
        if evidence.is_empty() {
            return Err(Failure::new(Code::NotFound, format!("no evidence of '{}' is kept", Untrusted::from(who)))
                .hint("it is written when a session ends; 'palisade evidence' lists what is kept")
                .into());
        }
    }
    if context.output.is_json() {
        context.output.document(&Document::new(Shelved { evidence }));
    } else if evidence.is_empty() {
        context.output.note("no session has ended yet of which evidence is kept");
    } else if who.is_some() {
        let pages: Vec<String> = evidence.iter().map(|kept| page(context, kept)).collect();
        context.output.text(&pages.join("\n"));
    } else {
        context.output.text(&table(context, &evidence));
    }
    Ok(0)
}

/// Compares every file with the audit log.
pub fn verify(context: &Context, shelf: &Shelf) -> Done {
    let proof = shelf.verify(context.now).map_err(|error| unreadable(shelf, &error))?;
    let failure = (!proof.flaws.is_empty()).then(|| {
        let (flaws, folder) = (proof.flaws.len(), shelf.folder().display());
        let message = format!("the evidence is not what was written: {flaws} {}", if flaws == 1 { "flaw" } else { "flaws" });
        proof.flaws.iter().fold(Failure::new(Code::Refused, message).detail(format!("folder: {folder}")), |failure, flaw| {
            let of = if flaw.file.is_empty() { String::new() } else { format!("{}: ", flaw.file) };
            failure.detail(format!("{of}{}", flaw.flaw.sentence()))
        })
    });
    let (sound, expired) = (proof.sound, proof.expired);
    if context.output.is_json() {
        context.output.document(&Document::with_error(Proved { proof }, failure.as_ref().map(Into::into)));
        return Ok(u8::from(failure.is_some()));
    }
    if let Some(failure) = failure {
        return Err(super::Stop { failure, exit: 1 });
    }
    let files = if sound == 1 { "file is as it was" } else { "files are as they were" };
    let gone = if expired > 0 { format!("; {expired} went when their time was over") } else { String::new() };
    context.output.text(&format!("{sound} {files} written{gone}\n"));
    Ok(0)
}

fn table(context: &Context, all: &[Kept]) -> String {
    let mut grid = Grid::new(&["SESSION", "ENDED", "EXIT", "SEEN BY", "LIMITS", "PACKAGES", "PROFILE", "ID"], context.output.page());
    for Kept { evidence: Evidence { run, end }, .. } in all {
        grid.row([
            cell(&run.session.name),
            cell(age(context.now, end.ended)),
            cell(end.exit_code.map_or_else(|| "?".to_owned(), |code| code.to_string())),
            cell(&end.seen_by),
            cell(words(&end.limits, "limit").join(" ")),
            cell(packages(&end.packages, end.packages_unlisted)),
            cell(&run.profile),
            cell(&run.session.id),
        ]);
    }
    grid.render()
}

fn page(context: &Context, kept: &Kept) -> String {
    let Evidence { run, end } = &kept.evidence;
    let time = |time: jiff::Timestamp| format!("{time:.0} ({})", age(context.now, time));
    let mut fields = Fields::new(context.output.page());
    fields.add("session", &run.session.name);
    fields.add("id", &run.session.id);
    fields.add("kind", &run.kind);
    fields.add("profile", &run.profile);
    fields.add("image", &run.image.name);
    fields.add("image digest", &run.image.digest);
    fields.add("container", &run.container);
    fields.add("started", time(run.started));
    fields.add("ended", time(end.ended));
    let memory = if end.out_of_memory { ", out of memory" } else { "" };
    fields.add("exit", end.exit_code.map_or_else(|| "not seen".to_owned(), |code| format!("{code}{memory}")));
    fields.add("seen", format!("by {} ({})", end.seen_by, end.by));
    fields.add("posture", posture(&run.posture));
    fields.add("measured", run.measured.map_or_else(String::new, time));
    fields.add("limits", words(&end.limits, "limit").join(" "));
    fields.add("packages", packages(&end.packages, end.packages_unlisted));
    fields.add("file", &kept.file);
    fields.add("sha256", &kept.sha256);
    fields.render()
}

/// One word of each.
fn words<'a>(list: &'a Value, name: &str) -> Vec<&'a str> {
    list.as_array().into_iter().flatten().filter_map(|item| item[name].as_str()).collect()
}

fn packages(list: &Value, unlisted: Option<u64>) -> String {
    let count = list.as_array().map_or(0, Vec::len) as u64;
    match unlisted {
        None => "not known".to_owned(),
        Some(unlisted) => match count + unlisted {
            0 => String::new(),
            1 => "1 file".to_owned(),
            all => format!("{all} files"),
        },
    }
}

fn posture(posture: &Value) -> String {
    let Some(controls) = posture["controls"].as_array() else { return "not measured".to_owned() };
    let verdict = |control: &Value| control["verdict"].as_str().unwrap_or_default().to_owned();
    let held = controls.iter().filter(|control| verdict(control) == "enforced").count();
    let weak: Vec<&str> = controls
        .iter()
        .filter(|control| ["weaker", "missing"].contains(&verdict(control).as_str()))
        .filter_map(|control| control["control"].as_str())
        .collect();
    let weaker = if weak.is_empty() { String::new() } else { format!("; weaker: {}", weak.join(" ")) };
    format!("{held} of {} controls enforced{weaker}", controls.len())
}

fn unreadable(shelf: &Shelf, error: &std::io::Error) -> Failure {
    Failure::io(format!("read the evidence in {}", shelf.folder().display()), error)
}
