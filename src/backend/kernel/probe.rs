//! A one-shot container of ours that reads a session's facts from within its PID namespace, for engines whose
//! `/proc` is not here. It is removed whatever happens to it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;

use crate::backend::engine::{AttachOptions, Engine, OneShot, OutputKind, OutputStream, WaitFor};
use crate::failure::{Code, Failure, Result};
use crate::kernel::ProbeReport;
use crate::policy::plan::{SUPERVISOR, SUPERVISOR_DIR};
use crate::session::{KernelFacts, labels};

/// A session with thousands of processes prints about a megabyte; more is not a probe of ours.
const MOST_OUTPUT: usize = 8 << 20;
/// Of an error, what anyone reads.
const MOST_ERRORS: usize = 4096;
/// Creating, starting and reading take about half a second on an idle machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often another probe of the same session is waited for.
const MOST_TRIES: u32 = 5;
const CGROUPS: &str = "/sys/fs/cgroup";

/// The facts of a running container.
pub async fn read(engine: &dyn Engine, container_id: &str, image_id: &str, supervisor_volume: &str, maker: &str) -> Result<KernelFacts> {
    Ok(run(engine, container_id, image_id, supervisor_volume, None, maker).await?.facts)
}

/// The facts of a container whose supervisor holds the command back, once it does, and who that supervisor is.
pub async fn read_at_gate(
    engine: &dyn Engine,
    container_id: &str,
    image_id: &str,
    supervisor_volume: &str,
    wait: Duration,
    maker: &str,
) -> Result<ProbeReport> {
    run(engine, container_id, image_id, supervisor_volume, Some(wait), maker).await
}

async fn run(
    engine: &dyn Engine,
    container_id: &str,
    image_id: &str,
    volume: &str,
    gate: Option<Duration>,
    maker: &str,
) -> Result<ProbeReport> {
    let request = request(container_id, image_id, volume, gate, maker);
    let id = create(engine, &request).await?;
    let outcome = tokio::time::timeout(PATIENCE + gate.unwrap_or_default(), collect(engine, &id)).await;
    let removed = engine.remove(&id).await;
    let report = outcome.unwrap_or_else(|_| Err(Failure::new(Code::EngineError, "the probe did not end in time")))?;
    removed?;
    Ok(report)
}

fn request(container_id: &str, image_id: &str, volume: &str, gate: Option<Duration>, maker: &str) -> OneShot {
    let mut entrypoint = vec![SUPERVISOR.to_owned(), "probe".to_owned(), "--container".to_owned(), container_id.to_owned()];
    if let Some(wait) = gate {
        entrypoint.extend(["--gate".to_owned(), wait.as_millis().to_string()]);
    }
    OneShot {
        name: name(container_id),
        image: image_id.to_owned(),
        entrypoint,
        user: "0:0".to_owned(),
        labels: BTreeMap::from(
            [(labels::SCHEMA, labels::SCHEMA_VALUE), (labels::ROLE, labels::ROLE_PROBE), (labels::MAKER, maker)]
                .map(|(key, value)| (key.to_owned(), value.to_owned())),
        ),
        cap_add: vec!["SYS_PTRACE".to_owned()],
        pid_mode: format!("container:{container_id}"),
        volumes_from: None,
        volumes: vec![(volume.to_owned(), SUPERVISOR_DIR.to_owned(), true)],
        binds: vec![(CGROUPS.to_owned(), CGROUPS.to_owned())],
    }
}

/// One name for a session's probes: two at once would report each other as intruders.
pub fn name(container_id: &str) -> String {
    let short: String = container_id.chars().take(12).collect();
    format!("{}probe-{short}", labels::CONTAINER_PREFIX)
}

/// Waits until a probe of the session that runs has ended; false where there is none, or it takes too long.
pub async fn left(engine: &dyn Engine, container_id: &str) -> bool {
    let name = name(container_id);
    let ended = tokio::time::timeout(PATIENCE, engine.wait(&name, WaitFor::NotRunning)).await;
    matches!(ended, Ok(Ok(_)))
}

/// Creates it; one of the same name is waited for, and cleared away if it was left behind.
async fn create(engine: &dyn Engine, request: &OneShot) -> Result<String> {
    let mut tries = 0;
    loop {
        match engine.create_one_shot(request).await {
            Ok(created) => return Ok(created.id),
            Err(failure) if failure.code == Code::Conflict && tries < MOST_TRIES => {
                tries += 1;
                let waiting = engine.wait(&request.name, WaitFor::NotRunning);
                match tokio::time::timeout(PATIENCE, waiting).await {
                    // Its maker is about to remove it; to do so for it is no harm, nor is being too late.
                    Ok(Ok(_) | Err(Failure { code: Code::NotFound, .. })) | Err(_) => engine.remove(&request.name).await?,
                    Ok(Err(failure)) => return Err(failure),
                }
            }
            Err(failure) => return Err(failure),
        }
    }
}

async fn collect(engine: &dyn Engine, id: &str) -> Result<ProbeReport> {
    // Attached before the start, so that the first byte is there whatever the engine does with its log.
    let attached = engine.attach(id, AttachOptions { stdin: false, output: true }).await?;
    engine.start(id).await?;
    let (output, errors) = drain(attached.output).await?;
    let code = engine.wait(id, WaitFor::NotRunning).await?;
    if code != 0 {
        let said = String::from_utf8_lossy(&errors);
        return Err(Failure::new(Code::EngineError, "the probe could not read the session's facts").detail(said.trim().to_owned()));
    }
    serde_json::from_slice(&output)
        .map_err(|error| Failure::new(Code::EngineError, format!("what the probe printed is no report of facts: {error}")))
}

async fn drain(mut stream: OutputStream) -> Result<(Vec<u8>, Vec<u8>)> {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        match piece.kind {
            OutputKind::Stdout => output.extend_from_slice(&piece.bytes),
            OutputKind::Stderr => errors.extend(piece.bytes.iter().take(MOST_ERRORS.saturating_sub(errors.len()))),
        }
        if output.len() > MOST_OUTPUT {
            return Err(Failure::new(Code::EngineError, "the probe printed more than any session has facts"));
        }
    }
    Ok((output, errors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::engine::Output;

    fn stream(pieces: Vec<(OutputKind, usize)>) -> OutputStream {
        let piece = |(kind, size)| Ok(Output { kind, bytes: vec![b'x'; size].into() });
        futures_util::stream::iter(pieces.into_iter().map(piece)).boxed()
    }

    #[test]
    fn the_probe_has_one_right_more_than_a_session_and_looks_at_one_container() {
        let id = "ab".repeat(32);
        let request = request(&id, "sha256:1", "palisade-supervisor", Some(Duration::from_secs(5)), "maker");
        assert_eq!(request.name, "palisade-probe-abababababab");
        assert_eq!(request.cap_add, ["SYS_PTRACE"]);
        assert_eq!(request.pid_mode, format!("container:{id}"));
        assert_eq!(request.entrypoint, [SUPERVISOR, "probe", "--container", &id, "--gate", "5000"]);
        assert_eq!(request.labels.get(labels::ROLE).map(String::as_str), Some(labels::ROLE_PROBE));
        assert!(request.volumes.iter().all(|(_, _, read_only)| *read_only));
    }

    #[tokio::test]
    async fn output_without_end_is_cut_off() {
        let (output, errors) =
            drain(stream(vec![(OutputKind::Stdout, 5), (OutputKind::Stderr, 9000), (OutputKind::Stdout, 5)])).await.unwrap();
        assert_eq!((output.len(), errors.len()), (10, MOST_ERRORS));
        assert!(drain(stream(vec![(OutputKind::Stdout, MOST_OUTPUT), (OutputKind::Stdout, 1)])).await.is_err());
    }
}
