//! The operator's own themes for the dashboard, as texts: what they mean is the dashboard's to say.

use super::{Paths, text_file};
use crate::failure::Result;

/// Every `NAME.toml` of the folder: its name, its text, and how it is called in errors.
pub fn texts(paths: &Paths) -> Result<Vec<(String, String, String)>> {
    let folder = paths.themes();
    let mut texts = Vec::new();
    for file in text_file::names_in(&folder)? {
        let Some(name) = file.strip_suffix(".toml").filter(|name| !name.is_empty() && !name.starts_with('.')) else { continue };
        let path = folder.join(&file);
        if let Some(text) = text_file::read(&path)? {
            texts.push((name.to_owned(), text, path.display().to_string()));
        }
    }
    Ok(texts)
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write the files that are read")]
mod tests {
    use super::*;

    #[test]
    fn the_folders_toml_files_are_themes_by_their_names() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::under(home.path());
        assert_eq!(texts(&paths).unwrap(), []);
        std::fs::create_dir_all(paths.themes()).unwrap();
        for (file, text) in [("mine.toml", "a"), ("notes.txt", "b"), (".toml", "c"), (".mine.toml", "d")] {
            std::fs::write(paths.themes().join(file), text).unwrap();
        }
        let found = texts(&paths).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].0.as_str(), found[0].1.as_str()), ("mine", "a"));
        assert!(found[0].2.ends_with("palisade/themes/mine.toml"));
    }
}
