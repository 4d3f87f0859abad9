//! `profiles`: what there is to launch from.

use super::document::{Document, ProfileShown, Profiles};
use super::table::{Grid, cell};
use super::{Context, Done};
use crate::config::profiles::ProfileSummary;
use crate::failure::{Code, Failure};
use crate::units::sanitise;

/// Lists them, or shows what one resolves to.
pub fn profiles(context: &Context, profiles: Vec<ProfileSummary>, name: Option<&str>) -> Done {
    match name {
        None => {
            list(context, profiles);
            Ok(0)
        }
        Some(name) => show(context, profiles, name),
    }
}

fn list(context: &Context, profiles: Vec<ProfileSummary>) {
    if context.output.is_json() {
        context.output.document(&Document::new(Profiles { profiles }));
    } else if context.output.is_quiet() {
        context.output.lines(profiles.iter().map(|profile| &profile.name));
    } else {
        let mut grid = Grid::new(&["NAME", "DESCRIPTION", "FROM"], context.output.page()).whole(&[0]);
        for profile in &profiles {
            grid.row([cell(&profile.name), cell(&profile.description), cell(&profile.origin)]);
        }
        context.output.text(&grid.render());
    }
}

fn show(context: &Context, profiles: Vec<ProfileSummary>, name: &str) -> Done {
    let names: Vec<_> = profiles.iter().map(|profile| profile.name.clone()).collect();
    let Some(profile) = profiles.into_iter().find(|profile| profile.name == name) else {
        return Err(Failure::new(Code::NotFound, format!("no profile is called '{name}'"))
            .detail(format!("there are: {}", names.join(", ")))
            .hint("your own are TOML files in the 'profiles' folder of Palisade's configuration")
            .into());
    };
    if context.output.is_json() {
        context.output.document(&Document::new(ProfileShown { profile }));
    } else {
        if !profile.description.is_empty() {
            context.output.text(&format!("{}\n\n", sanitise(&profile.description)));
        }
        context.output.text(&super::plan::policy(&profile.policy, context.output.page()));
    }
    Ok(0)
}
