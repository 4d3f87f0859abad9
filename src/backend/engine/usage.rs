//! `GET /system/df`: what a volume takes on disk. bollard reads only what the newest engines answer.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;

use super::plain;
use super::{DiskUse, VolumeUse};

/// The last API version in which the answer lists volumes at its top.
const LAST_PLAIN: (u32, u32) = (1, 51);
/// Engines before 23 list their images and containers with it.
const LONGEST: usize = 32 << 20;
/// Engines before 23 refuse to count while they count for somebody else.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

#[derive(Deserialize)]
struct Usage {
    #[serde(rename = "Volumes", default)]
    volumes: Option<Vec<Volume>>,
    #[serde(rename = "Containers", default)]
    containers: Option<Vec<Container>>,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Volume {
    #[serde(rename = "Name")]
    name: String,
    #[serde(rename = "UsageData", default)]
    usage: Option<UsageData>,
}

#[derive(Deserialize)]
struct UsageData {
    /// -1 where the volume's driver does not tell.
    #[serde(rename = "Size")]
    size: i64,
    /// -1 where it is not known.
    #[serde(rename = "RefCount", default = "unknown")]
    containers: i64,
}

#[derive(Deserialize)]
struct Container {
    #[serde(rename = "Id")]
    id: String,
    /// Left out where it is nothing.
    #[serde(rename = "SizeRw", default)]
    layer: i64,
}

const fn unknown() -> i64 {
    -1
}

const VOLUMES: &str = "/system/df?type=volume";
const WITH_CONTAINERS: &str = "/system/df?type=volume&type=container";

/// Bytes on disk, or why they are not known. Asks until it is told or nobody waits any more; `refusal` is what the engine last said.
pub(super) async fn volume_bytes(socket: &Path, api: (u32, u32), volume: &str, refusal: &mut String) -> Result<u64, String> {
    size_of(counted(socket, api, VOLUMES, refusal).await?, volume)
}

/// Bytes on disk of every volume that this lets through, by name; those whose driver does not tell are left out.
pub(super) async fn volumes_bytes(
    socket: &Path,
    api: (u32, u32),
    is_meant: &(dyn Fn(&str) -> bool + Sync),
    refusal: &mut String,
) -> Result<BTreeMap<String, u64>, String> {
    let volumes = counted(socket, api, VOLUMES, refusal).await?.volumes.ok_or("the engine's answer lists no volumes")?;
    let meant = volumes.into_iter().filter(|volume| is_meant(&volume.name));
    Ok(meant.filter_map(|volume| Some((volume.name, u64::try_from(volume.usage?.size).ok()?))).collect())
}

/// Bytes on disk of every volume, and of what containers wrote over their images.
pub(super) async fn everything(socket: &Path, api: (u32, u32), refusal: &mut String) -> Result<DiskUse, String> {
    let Usage { volumes, containers, .. } = counted(socket, api, WITH_CONTAINERS, refusal).await?;
    let known = |number: i64| u64::try_from(number).ok();
    let volume = |Volume { name, usage }: Volume| {
        let bytes = usage.as_ref().and_then(|usage| known(usage.size));
        (name, VolumeUse { bytes, containers: usage.and_then(|usage| known(usage.containers)) })
    };
    Ok(DiskUse {
        volumes: volumes.ok_or("the engine's answer lists no volumes")?.into_iter().map(volume).collect(),
        layers: containers.into_iter().flatten().filter_map(|container| Some((container.id, known(container.layer)?))).collect(),
    })
}

async fn counted(socket: &Path, api: (u32, u32), what: &str, refusal: &mut String) -> Result<Usage, String> {
    loop {
        let plain::Answer { status, body, .. } = plain::get(socket, api.min(LAST_PLAIN), what, LONGEST).await?;
        let usage: Usage = serde_json::from_slice(&body).map_err(|error| format!("the engine's answer makes no sense: {error}"))?;
        if status == StatusCode::OK {
            return Ok(usage);
        }
        *refusal = usage.message.unwrap_or_else(|| status.to_string());
        if !status.is_server_error() {
            return Err(std::mem::take(refusal));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn size_of(usage: Usage, volume: &str) -> Result<u64, String> {
    let volumes = usage.volumes.ok_or("the engine's answer lists no volumes")?;
    let found = volumes.into_iter().find(|listed| listed.name == volume).ok_or("the engine does not list the volume")?;
    let size = found.usage.ok_or("the engine did not measure the volume")?.size;
    u64::try_from(size).map_err(|_| "the volume's driver does not tell".to_owned())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixListener;

    use super::*;

    const COUNTED: &str = r#"{"LayersSize":1,"Images":[],"Volumes":[{"Name":"a","UsageData":{"Size":7,"RefCount":1}},
        {"Name":"b","UsageData":{"Size":-1,"RefCount":1}},{"Name":"c","UsageData":null}]}"#;

    /// An engine that gives these answers, one for each connection.
    async fn asked(answers: &[(&str, &str)], volume: &str) -> (Result<u64, String>, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("engine.sock");
        let listener = UnixListener::bind(&socket).unwrap();
        let serve = async {
            let mut requests = Vec::new();
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = vec![0; 4096];
                let read = stream.read(&mut head).await.unwrap();
                requests.push(String::from_utf8_lossy(&head[..read]).lines().next().unwrap_or_default().to_owned());
                let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            requests
        };
        let mut refusal = String::new();
        let (size, requests) = tokio::join!(volume_bytes(&socket, (1, 99), volume, &mut refusal), serve);
        (size, requests)
    }

    #[tokio::test]
    async fn an_engine_that_counts_for_somebody_else_is_asked_again() {
        let busy = ("500 Internal Server Error", r#"{"message":"a disk usage operation is already running"}"#);
        let (size, requests) = asked(&[busy, ("200 OK", COUNTED)], "a").await;
        assert_eq!((size, requests.len()), (Ok(7), 2));
        assert_eq!(requests[0], "GET /v1.51/system/df?type=volume HTTP/1.1");
    }

    #[tokio::test]
    async fn what_the_engine_does_not_tell_is_not_known() {
        for volume in ["b", "c", "d"] {
            assert!(asked(&[("200 OK", COUNTED)], volume).await.0.is_err(), "{volume}");
        }
        for answer in [("200 OK", "{}"), ("200 OK", "<html>"), ("404 Not Found", r#"{"message":"page not found"}"#)] {
            assert!(asked(&[answer], "a").await.0.is_err(), "{answer:?}");
        }
    }
}
