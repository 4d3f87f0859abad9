//! Names of projects and of their files, as Python's packaging standards have them.

/// A project's one spelling, from any that is allowed: `Foo.Bar` as `foo-bar`. `None` for what names no project.
///
/// Sources: <https://peps.python.org/pep-0508/#names>, <https://peps.python.org/pep-0503/#normalized-names>.
pub(super) fn normalise(name: &str) -> Option<String> {
    let ends_plainly = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    let allowed = bytes.len() <= super::super::names::LONGEST_PROJECT
        && ends_plainly(bytes.first())
        && ends_plainly(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    allowed.then(|| spell(name).collect())
}

/// Lower case, each run of `-`, `_` and `.` as one `-`.
fn spell(name: &str) -> impl Iterator<Item = char> {
    let mut before = ' ';
    name.chars().filter_map(move |c| {
        let c = if matches!(c, '-' | '_' | '.') { '-' } else { c.to_ascii_lowercase() };
        let repeated = c == '-' && before == '-';
        before = c;
        (!repeated).then_some(c)
    })
}

/// What follows the project's name in a file's: lenient in spelling, as old sdists, eggs and installers need, and
/// `None` for a file of another project. `project` is normalised.
fn after<'a>(file: &'a str, project: &str) -> Option<&'a str> {
    // Any dash may be the one: names and versions both hold them.
    let is_project = |&(at, _): &(usize, &str)| spell(&file[..at]).eq(project.chars());
    file.match_indices('-').find(is_project).map(|(at, _)| &file[at + 1..])
}

/// The version that a file's name tells, normalised; `Some("")` where it tells none that is valid, `None` where
/// the file is not of this project or is a wheel that no installer would take.
///
/// Sources: <https://peps.python.org/pep-0427/#file-name-convention>, <https://peps.python.org/pep-0625/>.
pub(super) fn version(file: &str, project: &str) -> Option<String> {
    let rest = after(file, project)?;
    let lower = rest.to_ascii_lowercase();
    let version = if let Some(stem) = lower.strip_suffix(".whl") {
        let fields = stem.split('-').count();
        let (version, _) = stem.split_once('-').filter(|_| fields == 4 || fields == 5)?;
        // A wheel's name has no dash in its fields: an underscore stands for one.
        version.replace('_', "-")
    } else if let Some(stem) = lower.strip_suffix(".egg") {
        stem.split('-').next().unwrap_or_default().replace('_', "-")
    } else {
        SDISTS.iter().find_map(|suffix| lower.strip_suffix(suffix)).unwrap_or_default().to_owned()
    };
    Some(super::version::normalise(&version).unwrap_or_default())
}

/// What sdists end with, in pip's reckoning; older ones are of any of these.
const SDISTS: [&str; 12] =
    [".tar.gz", ".zip", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.z", ".tar.lzma", ".tar.lz", ".tlz", ".tar"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_name_is_one_project() {
        for (spelling, name) in [
            ("requests", "requests"),
            ("Foo.Bar", "foo-bar"),
            ("foo__bar", "foo-bar"),
            ("foo-_.bar", "foo-bar"),
            ("zope.interface", "zope-interface"),
            ("A", "a"),
            ("2to3", "2to3"),
        ] {
            assert_eq!(normalise(spelling).as_deref(), Some(name), "{spelling}");
            assert_eq!(normalise(name).as_deref(), Some(name));
        }
    }

    #[test]
    fn what_names_no_project_is_none() {
        let long = "x".repeat(215);
        for name in ["", ".", "..", "-", "a-", "-a", "_a", "a.", "a/b", "a\\b", "a b", "ä", "a\0", "a\r\nb", "a%2fb", "a@b", "a[b]", &long]
        {
            assert_eq!(normalise(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_file_tells_its_version() {
        for (file, project, version) in [
            ("six-1.17.0-py2.py3-none-any.whl", "six", "1.17.0"),
            ("numpy-2.3.5-1-cp314-cp314t-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl", "numpy", "2.3.5"),
            ("torch-2.0.0+cpu.cxx11.abi-cp311-cp311-linux_x86_64.whl", "torch", "2.0.0+cpu.cxx11.abi"),
            ("Foo_Bar-1.0_1-py3-none-any.whl", "foo-bar", "1.0.post1"),
            ("zope.interface-7.0-py3-none-any.whl", "zope-interface", "7.0"),
            ("foo-bar-1.0.tar.gz", "foo-bar", "1.0"),
            ("Foo.Bar-1.0rc1.zip", "foo-bar", "1.0rc1"),
            ("foo_bar-1.0-2.tar.gz", "foo-bar", "1.0.post2"),
            ("foo-1!2.0.TAR.GZ", "foo", "1!2.0"),
            ("zope-1.0-py2.7-win32.egg", "zope", "1.0"),
            // Whose name tells no version.
            ("foo-1.0.win32-py2.7.exe", "foo", ""),
            ("foo-1.0.linux-x86_64.tar.gz", "foo", ""),
            ("foo-bar-1.0.tar.gz", "foo", ""),
            ("pytz-2004d.tar.gz", "pytz", ""),
            ("foo-1.0-1.noarch.rpm", "foo", ""),
        ] {
            assert_eq!(super::version(file, project).as_deref(), Some(version), "{file}");
        }
    }

    #[test]
    fn a_file_of_another_project_is_left_out() {
        for (file, project) in [
            ("six-1.17.0-py2.py3-none-any.whl", "sixx"),
            ("sixx-1.17.0.tar.gz", "six"),
            ("six.tar.gz", "six"),
            ("six", "six"),
            ("", "six"),
            ("foo_bar-1.0-py3-none-any.whl", "foo"),
            ("six-1.17.0.whl", "six"),
            ("six-1-2-3-4-5-6.whl", "six"),
            ("six-.whl", "six"),
        ] {
            assert_eq!(super::version(file, project), None, "{file}");
        }
    }
}
