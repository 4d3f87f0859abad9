//! One request in words, so that its failure says what was being done and on what.

use std::sync::Arc;

use bollard::errors::Error;

use super::Endpoint;
use super::error::{self, Kind};
use crate::failure::{Code, Failure};
use crate::units::sanitise;

/// What a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noun {
    /// The engine itself.
    Engine,
    /// A container.
    Container,
    /// A container that is being created: what is missing then is its image.
    NewContainer,
    /// A container that is to have another name: only that can be in conflict.
    Renamed,
    /// An image that should be present.
    Image,
    /// An image in a registry.
    RemoteImage,
    /// A volume.
    Volume,
    /// A command in a container.
    Exec,
    /// A path in a container, `CONTAINER:PATH`.
    Path,
}

/// One request: what is done, and on what.
#[derive(Debug, Clone)]
pub(super) struct Call {
    endpoint: Arc<Endpoint>,
    doing: &'static str,
    noun: Noun,
    on: String,
    within_s: u64,
}

impl Call {
    /// `doing` completes "cannot …", such as `start the container`.
    pub(super) fn new(endpoint: &Arc<Endpoint>, doing: &'static str, noun: Noun, on: &str, within_s: u64) -> Self {
        Self { endpoint: Arc::clone(endpoint), doing, noun, on: sanitise(on), within_s }
    }

    /// The failure that this request ended with.
    pub(super) fn failure(&self, error: &Error) -> Failure {
        match error::sort(error) {
            Kind::Status(404, sentence) => error::with_sentence(self.missing(), &sentence),
            Kind::Status(401 | 403, sentence) if self.noun == Noun::RemoteImage => error::with_sentence(self.missing(), &sentence),
            Kind::Status(409, sentence) => error::with_sentence(self.conflict(), &sentence),
            Kind::Status(_, sentence) | Kind::Streamed(sentence) => error::with_sentence(self.refused(), &sentence),
            Kind::NoConnection(cause) => error::unreachable(&self.endpoint, &cause),
            Kind::Broken(why) => self.broken(&why),
            Kind::TimedOut => error::silent(&self.endpoint, self.within_s).detail(format!("while trying to {}", self.what())),
            Kind::Unreadable(why) => Failure::new(Code::EngineError, format!("cannot {}: the engine's answer makes no sense", self.what()))
                .detail(sanitise(&why))
                .hint("is it a Docker-compatible engine? `palisade doctor` shows what it says of itself"),
            Kind::Setup(why) => Failure::new(Code::EngineUnreachable, format!("cannot {}", self.what()))
                .detail(sanitise(&why))
                .hint("check the engine's address and its TLS files"),
        }
    }

    /// The stream of this request's answer ended before it was whole.
    pub(super) fn broken(&self, why: &str) -> Failure {
        error::broken(&self.endpoint, why).detail(format!("while trying to {}", self.what()))
    }

    /// The engine answered, and the answer says that it failed.
    pub(super) fn refused_with(&self, sentence: &str) -> Failure {
        error::with_sentence(self.refused(), sentence)
    }

    fn what(&self) -> String {
        if self.on.is_empty() { self.doing.to_owned() } else { format!("{} '{}'", self.doing, self.on) }
    }

    fn refused(&self) -> Failure {
        let failure = Failure::new(Code::EngineError, format!("cannot {}", self.what()));
        match self.noun {
            Noun::RemoteImage => failure.hint(
                "the engine fetches images itself: check its network and proxy, or make an image without a registry: `palisade image build`",
            ),
            _ => failure,
        }
    }

    fn missing(&self) -> Failure {
        let on = &self.on;
        let say = |text: String| Failure::new(Code::NotFound, text);
        match self.noun {
            Noun::Container | Noun::Renamed => say(format!("there is no container '{on}'")).hint("`palisade ls` shows every session"),
            Noun::Image | Noun::NewContainer => {
                say(format!("the engine has no image '{on}'")).hint("`palisade image build` makes the sandbox image; --image names another")
            }
            Noun::RemoteImage => say(format!("no registry gives the image '{on}'"))
                .hint("check its name and tag; a private one needs `docker login` on the engine's host, then `docker pull`"),
            Noun::Volume => say(format!("there is no volume '{on}'")),
            Noun::Exec => say(format!("there is no running command '{on}'")),
            Noun::Path => say(format!("there is no '{on}'")),
            Noun::Engine => say(format!("cannot {}: the engine does not know this request", self.what())),
        }
    }

    fn conflict(&self) -> Failure {
        let failure = Failure::new(Code::Conflict, format!("cannot {}", self.what()));
        match self.noun {
            Noun::NewContainer | Noun::Renamed => failure.hint("the name is taken: choose another, or remove what has it"),
            Noun::Volume | Noun::Image => failure.hint("a container still uses it: remove that one first"),
            _ => failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(noun: Noun) -> Call {
        let endpoint = Endpoint { uri: "unix:///x".into(), found_by: "--host".into(), socket: Some("/x".into()), tls_dir: None };
        Call::new(&Arc::new(endpoint), "do it to", noun, "web", 120)
    }

    fn status(status_code: u16, message: &str) -> Error {
        Error::DockerResponseServerError { status_code, message: message.to_owned() }
    }

    #[test]
    fn the_status_decides_and_the_call_says_what_is_missing() {
        let container = call(Noun::Container).failure(&status(404, "No such image: fooled you"));
        assert_eq!((container.code, container.message.as_str()), (Code::NotFound, "there is no container 'web'"));
        let image = call(Noun::NewContainer).failure(&status(404, "No such container: fooled you"));
        assert_eq!((image.code, image.message.as_str()), (Code::NotFound, "the engine has no image 'web'"));
        assert_eq!(call(Noun::Volume).failure(&status(409, "in use")).code, Code::Conflict);
        assert_eq!(call(Noun::Container).failure(&status(500, "No such container")).code, Code::EngineError);
    }

    #[test]
    fn an_image_that_no_registry_gives_is_told_apart_from_a_registry_that_cannot_be_reached() {
        let pull = call(Noun::RemoteImage);
        for code in [401, 403, 404] {
            assert_eq!(pull.failure(&status(code, "denied")).code, Code::NotFound);
        }
        assert_eq!(pull.failure(&status(500, "dial tcp: no such host")).code, Code::EngineError);
        assert_eq!(pull.failure(&Error::DockerStreamError { error: "EOF".into() }).code, Code::EngineError);
        assert_eq!(pull.failure(&Error::RequestTimeoutError).code, Code::EngineUnreachable);
    }

    #[test]
    fn a_stream_that_dies_is_the_engines_absence() {
        let error = Error::IOError { err: std::io::Error::other("connection reset") };
        let failure = call(Noun::Container).failure(&error);
        assert_eq!(failure.code, Code::EngineUnreachable);
        assert!(failure.message.contains("broke"), "{failure}");
    }
}
