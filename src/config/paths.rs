use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::Environment;
use crate::failure::{Code, Failure, Result};

/// This program's own folders, by the XDG base directory specification. None is made by asking for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// `config.toml`, `profiles/`, `themes/`.
    pub config: PathBuf,
    /// What is kept between runs.
    pub state: PathBuf,
    /// What can be made again.
    pub cache: PathBuf,
    /// Sockets and locks of this login.
    pub runtime: PathBuf,
}

impl Paths {
    /// The folders of whoever runs this process.
    pub fn find(environment: &Environment) -> Result<Self> {
        // Without HOME the crate would ask the name services, which a static binary cannot load.
        let found = environment.var("HOME").and_then(|_| ProjectDirs::from("", "", "palisade"));
        match (found, &environment.home) {
            (Some(dirs), _) => {
                let cache = dirs.cache_dir().to_path_buf();
                let state = dirs.state_dir().map_or_else(|| cache.join("state"), Path::to_path_buf);
                let runtime = dirs.runtime_dir().map_or_else(|| state.join("run"), Path::to_path_buf);
                Ok(Self { config: dirs.config_dir().to_path_buf(), state, cache, runtime })
            }
            (None, Some(home)) => Ok(Self::under(home)),
            (None, None) => {
                Err(Failure::new(Code::InvalidConfig, "there is no home folder to keep configuration in")
                    .hint("set HOME to an absolute path"))
            }
        }
    }

    /// The folders of a home in which nothing is set otherwise.
    pub fn under(home: &Path) -> Self {
        let state = home.join(".local/state/palisade");
        Self { config: home.join(".config/palisade"), cache: home.join(".cache/palisade"), runtime: state.join("run"), state }
    }

    /// The operator's settings.
    pub fn settings_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// The operator's own profiles.
    pub fn profiles(&self) -> PathBuf {
        self.config.join("profiles")
    }

    /// The operator's own themes for the dashboard.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// All of them, for what must not be given to a session.
    pub fn all(&self) -> [&Path; 4] {
        [&self.config, &self.state, &self.cache, &self.runtime]
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Prints what the test below, in a process of its own with its own variables, compares.
    #[test]
    #[ignore = "run by the_folders_follow_the_variables"]
    fn show() {
        println!("{:?}", Paths::find(&Environment::capture()).unwrap());
    }

    fn shown(variables: &[(&str, &str)]) -> String {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["config::paths::tests::show", "--exact", "--ignored", "--nocapture"]).env_clear().envs(variables.iter().copied());
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    }

    #[test]
    fn the_folders_follow_the_variables() {
        let plain = format!("{:?}", Paths::under(Path::new("/home/alice")));
        assert!(shown(&[("HOME", "/home/alice")]).contains(&plain));
        let own = [
            ("HOME", "/home/alice"),
            ("XDG_CONFIG_HOME", "/c"),
            ("XDG_STATE_HOME", "/s"),
            ("XDG_CACHE_HOME", "/k"),
            ("XDG_RUNTIME_DIR", "/r"),
        ];
        let paths = ["/c", "/s", "/k", "/r"].map(|root| PathBuf::from(root).join("palisade"));
        let [config, state, cache, runtime] = paths;
        assert!(shown(&own).contains(&format!("{:?}", Paths { config, state, cache, runtime })));
        assert!(shown(&[("HOME", "/home/alice"), ("XDG_CONFIG_HOME", "relative")]).contains(&plain));
    }

    #[test]
    fn a_process_without_home_uses_the_password_files() {
        let environment = Environment { home: Some("/home/bob".into()), ..Environment::default() };
        assert_eq!(Paths::find(&environment).unwrap(), Paths::under(Path::new("/home/bob")));
        assert!(Paths::find(&Environment::default()).unwrap_err().to_string().contains("set HOME"));
    }
}
