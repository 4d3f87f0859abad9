//! Environment variables and secrets as an operator writes them: names, `KEY=VALUE`, env files, `NAME[=ENV]`.
//!
//! Values may be secret, so no error shows one. Reads nothing: the text of a file and the caller's own
//! environment come in as values.

use std::collections::BTreeMap;

use super::request::SecretSource;
use crate::failure::{Code, Failure, Result};
use crate::units::{ParseError, sanitise};

/// The kernel refuses to start a program with a longer `NAME=VALUE` (`MAX_ARG_STRLEN`, less the closing NUL).
const LONGEST: usize = 128 * 1024 - 1;
/// Longest name of a secret: it becomes a file name and part of a label.
const LONGEST_SECRET_NAME: usize = 64;

/// One variable as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EnvItem {
    /// `KEY=VALUE`.
    Set {
        /// The variable.
        name: String,
        /// All that follows the first `=`, verbatim.
        value: String,
    },
    /// `KEY`: the caller's own value, where the caller has one.
    PassOn {
        /// The variable.
        name: String,
    },
}

impl EnvItem {
    /// From `KEY=VALUE` or `KEY`.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let Some((name, value)) = text.split_once('=') else {
            check(text, "")?;
            return Ok(Self::PassOn { name: text.to_owned() });
        };
        check(name, value)?;
        Ok(Self::Set { name: name.to_owned(), value: value.to_owned() })
    }
}

/// Whether a session may be given this variable with this value.
pub fn check(name: &str, value: &str) -> Result<(), ParseError> {
    let shown = shorten(name);
    if !is_name(name) {
        return Err(ParseError(format!("'{shown}' is not a variable's name: letters, digits and _, not beginning with a digit")));
    }
    if is_reserved(name) {
        return Err(ParseError(format!("'{shown}' is reserved: HOME, PALISADE_* and TINI_* are set by this program and its init")));
    }
    if value.contains('\0') {
        return Err(ParseError(format!("the value of '{shown}' holds a NUL character")));
    }
    if name.len() + 1 + value.len() > LONGEST {
        return Err(ParseError(format!("the value of '{shown}' is {} bytes long: the kernel takes at most {LONGEST}", value.len())));
    }
    Ok(())
}

/// The variables of a session, from env files (`(path, text)`, lowest first) and then flags; a later one wins.
/// A variable to pass on that the caller does not have is left out, as `docker run --env KEY` does.
pub fn environment(files: &[(String, String)], flags: &[String], caller: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>> {
    let mut items = Vec::new();
    for (file, text) in files {
        items.extend(parse_file(file, text)?);
    }
    for flag in flags {
        let item = EnvItem::parse(flag).map_err(|error| {
            Failure::new(Code::Usage, "a variable cannot be set")
                .detail(format!("'--env': {error}"))
                .hint("give --env KEY=VALUE or --env KEY")
        })?;
        items.push(item);
    }
    let mut variables = BTreeMap::new();
    for item in items {
        match item {
            EnvItem::Set { name, value } => {
                variables.insert(name, value);
            }
            EnvItem::PassOn { name } => {
                if let Some(value) = caller.get(&name) {
                    let refuse = |error: ParseError| Failure::new(Code::Usage, "a variable cannot be passed on").detail(error.to_string());
                    check(&name, value).map_err(refuse)?;
                    variables.insert(name, value.clone());
                }
            }
        }
    }
    Ok(variables)
}

/// The lines of an env file, in Docker's form: `KEY=VALUE` or `KEY`, blank lines and lines that begin with `#`
/// skipped, values verbatim: quotes are part of them and nothing is expanded. Every bad line is named.
pub fn parse_file(file: &str, text: &str) -> Result<Vec<EnvItem>> {
    let mut items = Vec::new();
    let mut faults = Vec::new();
    for (index, line) in text.strip_prefix('\u{feff}').unwrap_or(text).lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // A name alone may have blanks after it; a value keeps its own.
        match EnvItem::parse(if line.contains('=') { line } else { line.trim_end() }) {
            Ok(item) => items.push(item),
            Err(error) => faults.push(format!("{file}, line {}: {error}", index + 1)),
        }
    }
    if faults.is_empty() {
        return Ok(items);
    }
    let failure = Failure { details: faults, ..Failure::new(Code::InvalidConfig, format!("the env file {file} cannot be used")) };
    Err(failure.hint("each line is KEY=VALUE, KEY, empty, or a comment that begins with #"))
}

/// Secrets by file name, from `NAME` or `NAME=ENV`.
pub fn secrets(specs: &[String]) -> Result<BTreeMap<String, SecretSource>> {
    let mut secrets = BTreeMap::new();
    for spec in specs {
        let (name, env) = spec.split_once('=').unwrap_or((spec, spec));
        let refuse =
            |why: String, hint: &str| Failure::new(Code::Usage, "a secret cannot be given").detail(format!("'--secret': {why}")).hint(hint);
        if !is_secret_name(name) {
            let why = format!("'{}' is not a secret's name", shorten(name));
            return Err(refuse(why, "a name has 1 to 64 of the characters a-z A-Z 0-9 _ . - and begins with a letter, digit or _"));
        }
        if !is_name(env) {
            let why = format!("'{}' is not a variable's name", shorten(env));
            return Err(refuse(why, "give --secret NAME=ENV, where ENV is the variable of yours that holds the value"));
        }
        if secrets.insert(name.to_owned(), SecretSource { env: env.to_owned() }).is_some() {
            return Err(refuse(format!("'{}' is given twice", shorten(name)), "give each secret a name of its own"));
        }
    }
    Ok(secrets)
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// What the plan or the engine's init reads: a value of the operator's would change what the sandbox is.
fn is_reserved(name: &str) -> bool {
    name == "HOME" || name.starts_with("PALISADE_") || name.starts_with("TINI_")
}

/// A plain file name that also stands in a comma-separated label.
fn is_secret_name(name: &str) -> bool {
    name.len() <= LONGEST_SECRET_NAME
        && name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn shorten(text: &str) -> String {
    let shown: String = text.chars().take(60).collect();
    sanitise(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller() -> BTreeMap<String, String> {
        BTreeMap::from([("TOKEN".to_owned(), "t0ken".to_owned()), ("LANG".to_owned(), "C.UTF-8".to_owned())])
    }

    fn flags(flags: &[&str]) -> Result<BTreeMap<String, String>> {
        environment(&[], &flags.iter().map(|flag| (*flag).to_owned()).collect::<Vec<_>>(), &caller())
    }

    #[test]
    fn a_flag_sets_a_variable_or_passes_the_callers_on() {
        let variables = flags(&["A=1", "EMPTY=", "A=2=3", "TOKEN", "ABSENT", "_x=ü"]).unwrap();
        let shown: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["A=2=3", "EMPTY=", "TOKEN=t0ken", "_x=ü"]);
    }

    #[test]
    fn what_is_no_variable_is_refused_without_showing_its_value() {
        for flag in ["", "=s3cret", "1A=s3cret", "A B=s3cret", "A-B=s3cret", "naïve=s3cret", "A\u{1b}=s3cret", "A=s3cret\0", "A\0=s3cret"]
        {
            let error = flags(&[flag]).unwrap_err();
            assert_eq!(error.code, Code::Usage);
            let shown = error.to_string();
            assert!(!shown.contains("s3cret") && !shown.contains('\0') && !shown.contains('\u{1b}'), "{shown:?}");
        }
    }

    #[test]
    fn our_own_variables_are_not_the_operators_to_set() {
        for flag in ["HOME=/", "HOME", "PALISADE_GATE=open", "PALISADE_", "TINI_SUBREAPER=1"] {
            assert!(flags(&[flag]).unwrap_err().to_string().contains("reserved"), "{flag}");
        }
        assert!(flags(&["HOMEPAGE=x", "PALISADES=x", "home=x"]).is_ok());
    }

    #[test]
    fn a_value_that_no_program_could_be_started_with_is_refused() {
        assert!(flags(&[&format!("A={}", "x".repeat(LONGEST - 2))]).is_ok());
        assert!(flags(&[&format!("A={}", "x".repeat(LONGEST - 1))]).is_err());
    }

    #[test]
    fn an_env_file_reads_as_dockers_does_and_flags_win_over_it() {
        let text = "\u{feff}# comment\r\n\r\nA=\"quoted\" # kept\r\n  B = \n\tLANG  \nEMPTY=\n".replace("B = ", "B= spaced ");
        let files = [("first.env".to_owned(), text), ("second.env".to_owned(), "EMPTY=no longer\nC=3".to_owned())];
        let variables = environment(&files, &["C=4".to_owned()], &caller()).unwrap();
        let shown: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["A=\"quoted\" # kept", "B= spaced ", "C=4", "EMPTY=no longer", "LANG=C.UTF-8"]);
    }

    #[test]
    fn every_bad_line_of_an_env_file_is_named_by_its_number() {
        let error = parse_file("ci.env", "GOOD=1\nexport BAD=s3cret\n\n=s3cret\nHOME=/\n").unwrap_err();
        assert_eq!(error.code, Code::InvalidConfig);
        assert_eq!(error.details.len(), 3);
        assert!(error.details[0].starts_with("ci.env, line 2: 'export BAD'"), "{error}");
        assert!(error.details[2].contains("line 5") && !error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn a_secret_names_its_file_and_the_variable_it_comes_from() {
        let specs = ["TOKEN".to_owned(), "npm.token=NPM_TOKEN".to_owned()];
        let given = secrets(&specs).unwrap();
        assert_eq!(given["TOKEN"].env, "TOKEN");
        assert_eq!(given["npm.token"].env, "NPM_TOKEN");
    }

    #[test]
    fn a_secret_that_would_leave_its_folder_or_has_no_variable_is_refused() {
        for spec in ["", "../x=A", "a/b=A", "a,b=A", ".hidden=A", "-x=A", "a b=A", "npm.token", "x=", "x=1A", "x=A=B", &"x".repeat(65)] {
            assert_eq!(secrets(&[spec.to_owned()]).unwrap_err().code, Code::Usage, "{spec}");
        }
        assert!(secrets(&["A".to_owned(), "A=B".to_owned()]).unwrap_err().to_string().contains("twice"));
    }
}
