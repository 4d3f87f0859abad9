//! Requirements files, as pip reads them: only lines that name packages, because nothing else goes along.
//!
//! Source: <https://pip.pypa.io/en/stable/reference/requirements-file-format/>.

use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// Options that change how packages are chosen and lead nowhere.
const HARMLESS: [&str; 6] = ["--hash", "--require-hashes", "--no-binary", "--only-binary", "--prefer-binary", "--pre"];

/// Refuses a file with a line that leads elsewhere, and names it.
pub fn check(file: &str, text: &str) -> Result<()> {
    for (number, line) in logical_lines(text) {
        if let Err(why) = check_line(&line) {
            return Err(Failure::new(Code::Usage, format!("{}:{number} cannot be warmed: {why}", sanitise(file)))
                .detail(line)
                .hint("only lines that name packages can be; give every file of its own with -r"));
        }
    }
    Ok(())
}

/// Lines without comments, continuations joined, with the number of the first.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut goes_on = false;
    for (at, line) in text.lines().enumerate() {
        // pip ends a continuation at a comment, and a comment where a '#' begins the line or follows a space.
        let comment = line.match_indices('#').find(|(at, _)| *at == 0 || line[..*at].ends_with(char::is_whitespace));
        let bare = comment.map_or(line, |(at, _)| &line[..at]);
        let (bare, continues) = match bare.strip_suffix('\\') {
            Some(bare) if comment.is_none() => (bare, true),
            _ => (bare, false),
        };
        match lines.last_mut() {
            Some((_, last)) if goes_on => last.push_str(bare),
            _ => lines.push((at + 1, bare.to_owned())),
        }
        goes_on = continues;
    }
    lines.retain_mut(|(_, line)| {
        *line = line.trim().to_owned();
        !line.is_empty()
    });
    lines
}

fn check_line(line: &str) -> std::result::Result<(), &'static str> {
    let mut words = line.split_whitespace().peekable();
    if !line.starts_with('-') {
        // Everything up to a marker or an option is the requirement.
        let mut requirement = String::new();
        while let Some(word) = words.next_if(|word| !word.starts_with('-')) {
            requirement.push_str(word);
            requirement.push(' ');
        }
        let named = requirement.split(';').next().unwrap_or_default().trim();
        names_a_package(named)?;
    }
    for option in words.filter(|word| word.starts_with('-')) {
        let name = option.split('=').next().unwrap_or(option);
        if !HARMLESS.contains(&name) {
            return Err(match name {
                "-r" | "--requirement" | "-c" | "--constraint" => "it leads to another file",
                "-e" | "--editable" => "it leads to a folder or an address",
                _ => "it has an option that leads elsewhere",
            });
        }
    }
    Ok(())
}

/// `name[extra]==1.*`: what pip could take for nothing but a package of the index.
pub fn names_a_package(text: &str) -> std::result::Result<(), &'static str> {
    if text.contains("://") || text.contains('@') {
        return Err("it leads to an address");
    }
    if text.starts_with('.') || text.contains(['/', '\\']) || [".whl", ".zip", ".gz", ".bz2", ".xz"].iter().any(|end| text.ends_with(end)) {
        return Err("it leads to a file or a folder");
    }
    let name = text.split(['[', '<', '>', '=', '!', '~', '(', ' ']).next().unwrap_or_default();
    let is_name = name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let rest = text.bytes().skip(name.len());
    if !is_name || !rest.into_iter().all(|byte| byte.is_ascii_alphanumeric() || b" -_.,*+!<>=~[]()".contains(&byte)) {
        return Err("it does not name a package");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_name_packages_pass() {
        let text = "# tools\n\nsix\nrequests[socks]>=2,<3 ; python_version < '3.13'  # pinned\nnumpy == 2.* \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n--only-binary=:all:\nFoo.Bar_baz~=1.0+local\n";
        check("requirements.txt", text).unwrap();
        assert_eq!(logical_lines(text).iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4, 5, 8, 9]);
    }

    #[test]
    fn a_line_that_leads_elsewhere_is_refused_and_named() {
        for (line, why) in [
            ("-r other.txt", "another file"),
            ("-rother.txt", "leads elsewhere"),
            ("--requirement=other.txt", "another file"),
            ("-c limits.txt", "another file"),
            ("-e .", "folder or an address"),
            ("--index-url https://pypi.example/", "leads elsewhere"),
            ("--find-links /srv", "leads elsewhere"),
            ("six --global-option=x", "leads elsewhere"),
            ("six @ https://pypi.example/six.whl", "an address"),
            ("git+ssh://git@pypi.example/x", "an address"),
            ("./local", "file or a folder"),
            ("/srv/six", "file or a folder"),
            ("..", "file or a folder"),
            ("six-1.0-py3-none-any.whl", "file or a folder"),
            ("$(id)", "does not name"),
            ("six`id`", "does not name"),
            ("six=\\\n=1 \\\n -r x", "another file"),
        ] {
            let failure = check("requirements.txt", &format!("six\n{line}\n")).unwrap_err();
            assert!(failure.message.contains("requirements.txt:2") && failure.message.contains(why), "{line}: {failure}");
        }
    }
}
