//! `GET /_ping` on an engine's socket: the API version in a header of its answer, in a twentieth of the time that
//! `GET /version` takes, for which an engine runs its runtime's and its init's `--version`. bollard gives no headers.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::convert::system::api_version;

/// An engine's head is a few hundred bytes.
const LONGEST_HEAD: usize = 8192;
/// An engine that takes longer is asked again in full, with words for what is wrong.
const PATIENCE: Duration = Duration::from_secs(5);

/// The newest API version that the engine speaks; `None` where the answer is not an engine's.
pub(super) async fn newest_api(socket: &Path) -> Option<(u32, u32)> {
    let head = tokio::time::timeout(PATIENCE, head(socket)).await.ok()?.ok()?;
    parse(&head)
}

async fn head(socket: &Path) -> std::io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_all(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n").await?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while head.len() < LONGEST_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut buffer).await? {
            0 => break,
            read => head.extend_from_slice(&buffer[..read]),
        }
    }
    Ok(head)
}

fn parse(head: &[u8]) -> Option<(u32, u32)> {
    let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
    let status = lines.next()?;
    if !status.starts_with("HTTP/1.1 200") {
        return None;
    }
    let mut headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| line.split_once(':'));
    headers.find(|(name, _)| name.eq_ignore_ascii_case("api-version")).and_then(|(_, value)| api_version(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_head_or_it_is_no_engine() {
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: Docker/20.10\r\n\r\nOK"), Some((1, 41)));
        for other in [
            &b"HTTP/1.1 200 OK\r\n\r\nApi-Version: 1.41\r\n"[..],
            b"HTTP/1.1 503 no\r\nApi-Version: 1.41\r\n\r\n",
            b"SSH-2.0-OpenSSH\r\n",
            b"",
            b"HTTP/1.1 200 OK\r\nApi-Version: \xff\r\n\r\n",
        ] {
            assert_eq!(parse(other), None);
        }
    }
}
