//! The image that the sandbox image is built on: present, pulled, or bootstrapped, in this order.

use std::time::Duration;

use futures_util::StreamExt;

use super::{ImageSpec, bootstrap, tree};
use crate::backend::Reporter;
use crate::backend::engine::{Images, ProgressStream, own_architecture};
use crate::failure::{Code, Failure, Result};
use crate::session::labels;

/// A pull that says nothing for so long has no registry at its other end: firewalls that drop are common, and
/// the engine itself would try for many minutes.
const PULL_SILENCE: Duration = Duration::from_secs(90);

/// The base's reference, present on the engine.
pub async fn obtain(engine: &dyn Images, spec: &ImageSpec, reporter: &dyn Reporter) -> Result<String> {
    let present = is_present(engine, &spec.base).await?;
    if present && !spec.no_cache {
        return Ok(spec.base.clone());
    }
    reporter.step(&format!("pulling {}", spec.base));
    let not_pulled = match follow(engine.pull(&spec.base), reporter).await {
        Ok(()) => return Ok(spec.base.clone()),
        Err(failure) if matches!(failure.code, Code::EngineUnreachable | Code::Interrupted) => return Err(failure),
        Err(failure) => failure,
    };
    if present {
        reporter.warning(&format!("{} stays as old as it is here: {}", spec.base, told(&not_pulled)));
        return Ok(spec.base.clone());
    }
    if !spec.is_debian() {
        return Err(not_pulled
            .detail(format!("it was to be the base of {}", spec.tag))
            .hint("name a base that the engine has or can pull, or leave --base out: Debian's own is bootstrapped where need be"));
    }
    let tag = spec.bootstrapped_tag();
    if is_present(engine, &tag).await? {
        return Ok(tag);
    }
    reporter.warning(&format!("{}; bootstrapping it from Debian's packages", told(&not_pulled)));
    make(engine, spec, reporter).await?;
    Ok(tag)
}

/// In one line, with what the engine said.
fn told(failure: &Failure) -> String {
    failure.details.first().map_or_else(|| failure.message.clone(), |first| format!("{} ({first})", failure.message))
}

async fn is_present(engine: &dyn Images, reference: &str) -> Result<bool> {
    match engine.image(reference).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.code == Code::NotFound => Ok(false),
        Err(failure) => Err(failure),
    }
}

async fn make(engine: &dyn Images, spec: &ImageSpec, reporter: &dyn Reporter) -> Result<()> {
    let tag = spec.bootstrapped_tag();
    let engine_architecture = engine.version().await?.architecture;
    let ours = own_architecture();
    if engine_architecture != ours {
        return Err(Failure::new(Code::Refused, format!("a base for {engine_architecture} cannot be bootstrapped on {ours}"))
            .hint(format!("give a base that the engine can pull with --base, or load one on it under the tag {}", spec.base)));
    }
    let workshop = bootstrap::Workshop::open(reporter).await?;
    if is_present(engine, &tag).await? {
        // Another run made it while this one waited for the workshop.
        return Ok(());
    }
    let root = workshop.bootstrap(&spec.suite, &spec.debian_mirror, reporter).await?;
    reporter.step(&format!("importing {tag}"));
    let changes = [
        format!("LABEL {}={} {}={}", labels::SCHEMA, labels::SCHEMA_VALUE, labels::ROLE, labels::ROLE_IMAGE),
        "CMD [\"/bin/bash\"]".to_owned(),
    ];
    follow(engine.import(&tag, &changes, tree::archive(root)), reporter).await
}

async fn follow(mut progress: ProgressStream, reporter: &dyn Reporter) -> Result<()> {
    loop {
        match tokio::time::timeout(PULL_SILENCE, progress.next()).await {
            Ok(None) => return Ok(()),
            Ok(Some(step)) => reporter.progress(&step?),
            Err(_) => {
                let message = format!("nothing was heard for {} seconds", PULL_SILENCE.as_secs());
                return Err(Failure::new(Code::EngineError, message));
            }
        }
    }
}
