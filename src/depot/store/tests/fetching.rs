//! Several sessions ask for one artifact, and registries send what they should not.

use super::*;

const MIB: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_readers_of_one_fetch_all_get_the_right_bytes_and_upstream_is_asked_once() {
    let depot = Depot::new();
    let artifact = bytes(1, 3 * MIB + 17);
    let digest = sha512(&artifact);
    let (send, asked, start) = upstream(Some(artifact.len() as u64));
    let mut first = depot.store.fetch(&digest, None, held(), start);
    let readers: Vec<_> = (0..100)
        .map(|_| {
            let mut transfer = depot.store.fetch(&digest, None, held(), unasked());
            tokio::spawn(async move {
                let total = transfer.ready().await.unwrap();
                (transfer.is_first(), total, all(transfer.stream()).await.unwrap())
            })
        })
        .collect();
    for piece in artifact.chunks(100_000) {
        send.send(Ok(Bytes::copy_from_slice(piece))).unwrap();
        tokio::task::yield_now().await;
    }
    drop(send);
    for reader in readers {
        let (is_first, total, got) = reader.await.unwrap();
        assert_eq!((is_first, total), (false, Some(artifact.len() as u64)));
        assert!(got == artifact);
    }
    let blob = first.finished().await.unwrap();
    assert!(first.is_first());
    assert_eq!((first.fetched(), asked.load(Ordering::SeqCst)), (artifact.len() as u64, 1));
    assert_eq!((blob.digest(), blob.size()), (&sha256(&artifact), artifact.len() as u64));
    assert!(depot.has(&digest).await.unwrap() == artifact);
    assert!(depot.has(&sha256(&artifact)).await.unwrap() == artifact);
    assert_eq!((depot.temporaries(), depot.store.facts().bytes), (0, artifact.len() as u64));
    assert_eq!(fs::metadata(depot.blob(&sha256(&artifact))).unwrap().permissions().mode() & 0o777, 0o400);
}

#[tokio::test]
async fn bytes_are_given_as_they_arrive_but_for_the_last_ones() {
    let depot = Depot::new();
    let artifact = bytes(2, MIB);
    let (send, _, start) = upstream(None);
    let mut transfer = depot.store.fetch(&sha256(&artifact), None, held(), start);
    send.send(Ok(Bytes::copy_from_slice(&artifact[..MIB / 2]))).unwrap();
    assert_eq!(transfer.ready().await.unwrap(), None, "nobody knows how long it is");
    let mut stream = transfer.stream();
    let mut got = Vec::new();
    while got.len() < MIB / 4 {
        got.extend_from_slice(&stream.next().await.unwrap().unwrap());
    }
    assert_eq!(got.len(), MIB / 2 - usize::try_from(HOLD_BACK).unwrap());
    send.send(Ok(Bytes::copy_from_slice(&artifact[MIB / 2..]))).unwrap();
    drop(send);
    got.extend(all(stream).await.unwrap());
    assert!(got == artifact);
    // Who comes late reads from the store, even through the same transfer.
    assert!(all(transfer.stream()).await.unwrap() == artifact);
    assert_eq!(transfer.ready().await.unwrap(), Some(artifact.len() as u64));
}

#[tokio::test]
async fn a_small_artifact_that_is_wrong_is_given_to_nobody_and_the_next_request_tries_again() {
    let depot = Depot::new();
    let digest = sha256(b"promised");
    let mut transfer = depot.store.fetch(&digest, None, held(), sends(b"poisoned"));
    let stream = transfer.stream();
    let error = FetchError::Mismatch { expected: digest.clone(), got: sha256(b"poisoned") };
    assert_eq!(transfer.ready().await.unwrap_err(), error);
    assert_eq!(given(stream).await, (Vec::new(), false));
    assert_eq!(transfer.finished().await.unwrap_err(), error);
    assert_eq!((depot.temporaries(), depot.blobs(), depot.store.facts().bytes), (0, 0, 0));
    assert_eq!(depot.has(&digest).await, None);
    assert_eq!(depot.has(&sha256(b"poisoned")).await, None, "it is kept by no name at all");

    depot.fetched(&digest, b"promised").await;
    assert_eq!(depot.has(&digest).await.unwrap(), b"promised");
}

#[tokio::test]
async fn each_algorithm_refuses_a_wrong_body() {
    let depot = Depot::new();
    for digest in [sha1(b"promised"), sha512(b"promised")] {
        let error = depot.store.fetch(&digest, None, held(), sends(b"poisoned")).finished().await.unwrap_err();
        assert!(matches!(error, FetchError::Mismatch { expected, .. } if expected == digest));
        assert!(!depot.alias(&digest).exists());
        depot.fetched(&digest, b"promised").await;
        assert_eq!(depot.has(&digest).await.unwrap(), b"promised");
    }
    assert_eq!(depot.blobs(), 1, "two promises of one content are one blob");
}

#[tokio::test]
async fn a_large_artifact_that_is_wrong_never_reaches_its_end() {
    let depot = Depot::new();
    let (artifact, mut wrong) = (bytes(3, MIB), bytes(3, MIB));
    *wrong.last_mut().unwrap() ^= 1;
    let mut transfer = depot.store.fetch(&sha256(&artifact), Some(MIB as u64), held(), sends(&wrong));
    let (got, is_whole) = given(transfer.stream()).await;
    assert!(!is_whole && got.len() <= MIB - usize::try_from(HOLD_BACK).unwrap());
    assert!(matches!(transfer.finished().await, Err(FetchError::Mismatch { .. })));
    assert_eq!((depot.temporaries(), depot.blobs()), (0, 0));
}

#[tokio::test]
async fn a_body_of_another_length_than_promised_is_refused() {
    let depot = Depot::new();
    let digest = sha256(b"promised");
    let body = || vec![Ok(Bytes::from_static(b"promised"))];
    let lost = || vec![Ok(Bytes::from_static(b"prom")), Err(io::Error::other("connection reset"))];
    let short = |got| FetchError::CutShort { expected: Some(8), got, reason: String::new() };
    for (promised, size, body, expected) in [
        (None, Some(8), vec![Ok(Bytes::from_static(b"promise"))], short(7)),
        (Some(8), None, vec![Ok(Bytes::from_static(b"promise"))], short(7)),
        (None, Some(8), vec![], short(0)),
        (Some(8), None, lost(), FetchError::CutShort { expected: Some(8), got: 4, reason: "connection reset".to_owned() }),
        (None, None, lost(), FetchError::CutShort { expected: None, got: 4, reason: "connection reset".to_owned() }),
        (Some(8), Some(9), body(), FetchError::WrongSize { expected: 8, got: 9 }),
        (Some(7), None, body(), FetchError::WrongSize { expected: 7, got: 8 }),
        (None, Some(7), body(), FetchError::WrongSize { expected: 7, got: 8 }),
        (Some(LIMITS.artifact_size + 1), None, body(), FetchError::TooLarge { limit: LIMITS.artifact_size }),
        (None, Some(LIMITS.artifact_size + 1), body(), FetchError::TooLarge { limit: LIMITS.artifact_size }),
    ] {
        let error = depot.store.fetch(&digest, promised, held(), says(size, body)).finished().await.unwrap_err();
        assert_eq!(error, expected, "{promised:?} {size:?}");
        assert_eq!((depot.temporaries(), depot.blobs()), (0, 0));
        assert_eq!(lock(&depot.store.0.stock).admitted, 0);
    }
}

#[tokio::test]
async fn an_endless_body_is_given_up_at_the_limit() {
    let depot = Depot::with(Limits { size: 10 << 20, artifact_size: 1 << 20 });
    let endless = stream::repeat_with(|| Ok(Bytes::from(vec![0; 65536]))).boxed();
    let start = async move { Ok(Incoming { size: None, body: endless }) };
    let mut transfer = depot.store.fetch(&sha256(b""), None, held(), start);
    assert_eq!(transfer.finished().await.unwrap_err(), FetchError::TooLarge { limit: 1 << 20 });
    assert!(transfer.fetched() <= (1 << 20) + 65536);
    assert_eq!(depot.temporaries(), 0);
}

#[tokio::test]
async fn a_second_body_that_differs_is_refused_and_the_first_stays() {
    let depot = Depot::new();
    let digest = sha512(b"first");
    depot.fetched(&digest, b"first").await;
    // Removed by an operator meanwhile, and fetched again from a registry that has changed its mind.
    depot.store.prune(Some(0), None).await.unwrap();
    assert!(matches!(depot.store.fetch(&digest, None, held(), sends(b"other")).finished().await, Err(FetchError::Mismatch { .. })));
    depot.fetched(&digest, b"first").await;
    let mut again = depot.store.fetch(&digest, None, held(), unasked());
    assert!(all(again.stream()).await.unwrap() == b"first");
    assert_eq!((again.ready().await.unwrap(), again.is_first(), again.fetched()), (Some(5), false, 0), "it was there");
}

#[tokio::test]
async fn a_fetch_goes_on_when_everyone_has_left_and_then_lets_go_of_its_permit() {
    let depot = Depot::new();
    let artifact = bytes(4, MIB);
    let digest = sha256(&artifact);
    let permits = Arc::new(tokio::sync::Semaphore::new(1));
    let permit = Arc::clone(&permits).try_acquire_owned().unwrap();
    let (send, asked, start) = upstream(None);
    let mut transfer = depot.store.fetch(&digest, None, Box::new(permit), start);
    let mut stream = transfer.stream();
    send.send(Ok(Bytes::copy_from_slice(&artifact[..MIB / 2]))).unwrap();
    transfer.ready().await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop((stream, transfer));
    assert_eq!(permits.available_permits(), 0);
    send.send(Ok(Bytes::copy_from_slice(&artifact[MIB / 2..]))).unwrap();
    drop(send);
    let _ended = permits.acquire().await.unwrap();
    assert!(depot.has(&digest).await.unwrap() == artifact);
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_fetch_that_cannot_begin_fails_for_all_who_wait_and_is_forgotten() {
    let depot = Depot::new();
    let digest = sha1(b"artifact");
    let away = FetchError::Upstream { away: true, reason: "the registry is away".to_owned() };
    let (go, wait) = tokio::sync::oneshot::channel::<()>();
    let error = away.clone();
    let start = async move {
        let _ = wait.await;
        Err(error)
    };
    let mut first = depot.store.fetch(&digest, None, held(), start);
    let mut second = depot.store.fetch(&digest, None, held(), unasked());
    go.send(()).unwrap();
    assert_eq!(first.ready().await.unwrap_err(), away);
    assert_eq!(second.finished().await.unwrap_err(), away);
    assert_eq!(given(second.stream()).await, (Vec::new(), false));
    depot.fetched(&digest, b"artifact").await;
}

#[tokio::test]
async fn a_fetch_that_panics_leaves_nobody_waiting() {
    let depot = Depot::new();
    let digest = sha256(b"artifact");
    let mut transfer = depot.store.fetch(&digest, None, held(), async { panic!("a fault of the caller's, on purpose") });
    assert!(matches!(transfer.ready().await, Err(FetchError::Store(_))));
    depot.fetched(&digest, b"artifact").await;
}

#[tokio::test]
async fn an_empty_artifact_is_an_artifact() {
    let depot = Depot::new();
    assert_eq!(depot.fetched(&sha512(b""), b"").await.size(), 0);
    assert_eq!(depot.has(&sha512(b"")).await.unwrap(), b"");
}
