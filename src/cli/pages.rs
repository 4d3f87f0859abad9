//! `completions` and `man`: made from the grammar, so they cannot differ from it.

use std::path::Path;

use clap::CommandFactory;
use clap_complete::Shell;

use super::arguments::Arguments;
use crate::failure::{Failure, Result};
use crate::headless::document::{CompletionScript, Document, ManPage, ManPages};
use crate::headless::{Context, Done};

/// Prints the completion script for a shell.
pub(super) fn completions(context: &Context, shell: Shell) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "palisade", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if context.output.is_json() {
        context.output.document(&Document::new(CompletionScript { shell: shell.to_string(), script }));
    } else {
        context.output.text(&script);
    }
}

/// Prints the top page, or writes every page to a folder.
pub(super) fn man(context: &Context, folder: Option<&Path>) -> Done {
    let mut command = Arguments::command().disable_help_subcommand(true);
    command.build();
    let mut pages = Vec::new();
    match folder {
        None => pages.push(ManPage { name: "palisade.1".into(), path: None, roff: Some(render(&command)?.1) }),
        Some(folder) => write_pages(&command, folder, &mut pages)?,
    }
    if context.output.is_json() {
        context.output.document(&Document::new(ManPages { pages }));
    } else {
        for page in &pages {
            match (&page.roff, &page.path) {
                (Some(roff), _) => context.output.text(roff),
                (None, Some(path)) => context.output.text(&format!("{}\n", crate::units::sanitise(path))),
                (None, None) => {}
            }
        }
    }
    Ok(0)
}

fn render(command: &clap::Command) -> Result<(String, String)> {
    let page = clap_mangen::Man::new(command.clone());
    let mut roff = Vec::new();
    page.render(&mut roff).map_err(|error| Failure::io("write the manual page", &error))?;
    Ok((page.get_filename(), String::from_utf8_lossy(&roff).into_owned()))
}

#[expect(clippy::disallowed_methods, reason = "writing these files is the command")]
fn write_pages(command: &clap::Command, folder: &Path, pages: &mut Vec<ManPage>) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Failure::io(format_args!("make the folder {}", folder.display()), &error))?;
    let (name, roff) = render(command)?;
    let path = folder.join(&name);
    std::fs::write(&path, roff).map_err(|error| Failure::io(format_args!("write {}", path.display()), &error))?;
    pages.push(ManPage { name, path: Some(path.display().to_string()), roff: None });
    for below in command.get_subcommands().filter(|below| !below.is_hide_set()) {
        write_pages(below, folder, pages)?;
    }
    Ok(())
}
