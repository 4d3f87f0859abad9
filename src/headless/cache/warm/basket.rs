//! What is to be fetched, proved to name packages and nothing else, as the files that a sandbox is handed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::requirements::{check, names_a_package};
use crate::failure::{Code, Failure, Result};
use crate::units::sanitise;

/// Names given on the command line become a requirements file of their own.
const NAMED: &str = "pypi-named.txt";

/// What is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basket {
    /// Files by their names in the sandbox's scratch folder.
    pub files: BTreeMap<String, String>,
}

impl Basket {
    /// Adds `pandas`, `pypi:pandas==2.2` or `npm:express@4`, one of several.
    pub fn add_names(&mut self, names: &[String]) -> Result<()> {
        let mut pypi = String::new();
        let mut npm = Map::new();
        for name in names {
            let refuse = |why: &str| {
                Failure::new(Code::Usage, format!("'{}' cannot be warmed: {why}", sanitise(name)))
                    .hint("name packages such as pandas, pypi:pandas==2.2, npm:express@4 or npm:@scope/name")
            };
            match name.split_once(':') {
                Some(("npm", package)) => {
                    let (package, range) = npm_package(package).ok_or_else(|| refuse("it does not name an npm package"))?;
                    npm.insert(package.to_owned(), Value::from(range));
                }
                Some(("pypi", package)) => {
                    names_a_package(package).map_err(refuse)?;
                    pypi.push_str(package);
                    pypi.push('\n');
                }
                Some(_) => return Err(refuse("no such ecosystem")),
                None => {
                    names_a_package(name).map_err(refuse)?;
                    pypi.push_str(name);
                    pypi.push('\n');
                }
            }
        }
        if !pypi.is_empty() {
            self.files.insert(NAMED.to_owned(), pypi);
        }
        if !npm.is_empty() {
            let package = json!({ "name": "warm", "version": "0.0.0", "private": true, "dependencies": npm });
            self.files.insert("npm-named/package.json".to_owned(), package.to_string());
        }
        Ok(())
    }

    /// Adds a requirements file.
    pub fn add_requirements(&mut self, file: &str, text: &str) -> Result<()> {
        check(file, text)?;
        let name = format!("pypi-{}.txt", self.files.len());
        self.files.insert(name, text.to_owned());
        Ok(())
    }

    /// Adds a lock file, and the `package.json` that it was made from, as far as it says.
    pub fn add_package_lock(&mut self, file: &str, text: &str) -> Result<()> {
        let refuse = |why: &str| Failure::new(Code::Usage, format!("{} cannot be warmed: {why}", sanitise(file)));
        let lock: Value = serde_json::from_str(text).map_err(|error| refuse(&format!("it is no JSON: {error}")))?;
        let packages = lock.get("packages").and_then(Value::as_object);
        let packages = packages
            .ok_or_else(|| refuse("it lists no packages").hint("npm 7 or newer writes such a file: npm install --package-lock-only"))?;
        for (place, package) in packages.iter().filter(|(place, _)| !place.is_empty()) {
            let resolved = package.get("resolved").and_then(Value::as_str).unwrap_or_default();
            let is_link = package.get("link").and_then(Value::as_bool).unwrap_or_default();
            if is_link
                || !place.starts_with("node_modules/")
                || !(resolved.is_empty() || resolved.starts_with("https://") || resolved.starts_with("http://"))
            {
                return Err(refuse("it leads to a folder, a file or a repository").detail(place.clone()));
            }
        }
        let mut package = packages.get("").and_then(Value::as_object).cloned().unwrap_or_default();
        package
            .retain(|field, _| ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"].contains(&field.as_str()));
        package.insert("name".to_owned(), "warm".into());
        package.insert("version".to_owned(), "0.0.0".into());
        self.files.insert("npm-locked/package.json".to_owned(), Value::from(package).to_string());
        self.files.insert("npm-locked/package-lock.json".to_owned(), text.to_owned());
        Ok(())
    }
}

/// A name and a range: `express`, `express@4`, `@scope/name@^1.2`.
fn npm_package(text: &str) -> Option<(&str, &str)> {
    let (scope, rest) = match text.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').map(|(scope, rest)| (Some(scope), rest))?,
        None => (None, text),
    };
    let (name, range) = rest.split_once('@').unwrap_or((rest, "*"));
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    // A range or a tag; an alias, an address, a path or a repository has a character that these do not.
    let is_range = !range.is_empty() && range.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" -_.*+^~<>=|".contains(&byte));
    let is_name = scope.is_none_or(is_word) && is_word(name);
    (is_name && is_range).then(|| (text.get(..text.len() - if rest.contains('@') { range.len() + 1 } else { 0 }).unwrap_or(text), range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Result<Basket> {
        let mut basket = Basket::default();
        basket.add_names(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        Ok(basket)
    }

    #[test]
    fn names_become_the_files_that_pip_and_npm_read() {
        let basket = names(&["pandas", "pypi:numpy==2.*", "npm:express@4", "npm:@types/node", "npm:@a/b@^1.2"]).unwrap();
        assert_eq!(basket.files[NAMED], "pandas\nnumpy==2.*\n");
        let package: Value = serde_json::from_str(&basket.files["npm-named/package.json"]).unwrap();
        assert_eq!(package["dependencies"], json!({ "express": "4", "@types/node": "*", "@a/b": "^1.2" }));
    }

    #[test]
    fn what_names_no_package_is_refused() {
        for name in [
            "",
            "-r",
            "--index-url=x",
            "./x",
            "cargo:serde",
            "npm:",
            "npm:@a",
            "npm:../x",
            "npm:x@file:../y",
            "npm:x@git+ssh://a",
            "npm:x@",
            "npm:a/b",
            "pypi:x @ https://pypi.example/x",
            "x\nsecond",
            "pypi:npm:x",
            "https://pypi.example/x",
        ] {
            assert_eq!(names(&[name]).unwrap_err().code, Code::Usage, "{name:?}");
        }
    }

    #[test]
    fn a_lock_file_goes_along_with_its_own_dependencies_and_nothing_that_runs() {
        let lock = json!({ "lockfileVersion": 3, "packages": {
            "": { "name": "app", "dependencies": { "a": "1" }, "scripts": { "install": "evil" } },
            "node_modules/a": { "version": "1.0.0", "resolved": "https://registry.example/a.tgz", "integrity": "sha512-x" },
        } });
        let mut basket = Basket::default();
        basket.add_package_lock("package-lock.json", &lock.to_string()).unwrap();
        let package: Value = serde_json::from_str(&basket.files["npm-locked/package.json"]).unwrap();
        assert_eq!(package, json!({ "name": "warm", "version": "0.0.0", "dependencies": { "a": "1" } }));
    }

    #[test]
    fn a_lock_file_that_leads_elsewhere_is_refused_and_named() {
        for (place, package) in [
            ("node_modules/x", json!({ "resolved": "../x", "link": true })),
            ("packages/x", json!({})),
            ("node_modules/x", json!({ "resolved": "git+ssh://git@registry.example/x.git#1" })),
            ("node_modules/x", json!({ "resolved": "file:x.tgz" })),
        ] {
            let lock = json!({ "packages": { place: package } }).to_string();
            let failure = Basket::default().add_package_lock("lock", &lock).unwrap_err();
            assert!(failure.details == [place], "{failure}");
        }
        assert!(Basket::default().add_package_lock("lock", "{\"dependencies\":{}}").is_err());
        assert!(Basket::default().add_package_lock("lock", "[").is_err());
    }
}
