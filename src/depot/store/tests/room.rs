//! The store is full.

use super::super::key::Key;
use super::*;

const KIB: u64 = 1024;

fn small() -> Depot {
    Depot::with(Limits { size: 100 * KIB, artifact_size: 60 * KIB })
}

#[tokio::test]
async fn the_least_recently_used_makes_room() {
    let depot = small();
    let artifacts: Vec<_> = (0..3).map(|seed| bytes(seed, 30 * 1024)).collect();
    for artifact in &artifacts {
        depot.fetched(&sha512(artifact), artifact).await;
    }
    assert!(depot.has(&sha512(&artifacts[0])).await.is_some());
    let next = bytes(9, 30 * 1024);
    depot.fetched(&sha512(&next), &next).await;
    assert!(!depot.alias(&sha512(&artifacts[1])).exists(), "the alias goes with its blob");
    for (artifact, stays) in [(&artifacts[0], true), (&artifacts[1], false), (&artifacts[2], true), (&next, true)] {
        assert_eq!(depot.has(&sha512(artifact)).await.is_some(), stays);
    }
    let facts = depot.store.facts();
    assert_eq!((facts.blobs, facts.bytes, facts.evicted, facts.capacity), (3, 90 * KIB, 1, 100 * KIB));
}

#[tokio::test]
async fn readers_of_an_evicted_blob_finish() {
    let depot = small();
    let artifact = bytes(1, 50 * 1024);
    let blob = depot.fetched(&sha256(&artifact), &artifact).await;
    let mut transfer = depot.store.fetch(&sha256(&artifact), None, held(), unasked());
    transfer.ready().await.unwrap();
    let (mut begun, joined) = (blob.stream(0..blob.size()), transfer.stream());
    let mut got = begun.next().await.unwrap().unwrap().to_vec();
    assert_eq!(depot.store.prune(Some(0), None).await.unwrap(), Freed { blobs: 1, bytes: 50 * KIB });
    assert!(matches!(depot.store.get(&sha256(&artifact)).await.unwrap(), Found::Missing));
    got.extend(all(begun).await.unwrap());
    assert!(got == artifact);
    assert!(all(joined).await.unwrap() == artifact);
    assert!(all(blob.stream(10..20)).await.unwrap() == artifact[10..20]);
    assert_eq!((depot.blobs(), depot.store.facts().bytes), (0, 0));
}

#[tokio::test]
async fn a_reader_of_a_fetch_finishes_though_the_blob_goes_at_once() {
    let depot = Depot::with(Limits { size: 1024 * KIB, artifact_size: 1024 * KIB });
    let artifact = bytes(1, 900 * 1024);
    let (send, _, start) = upstream(None);
    let mut transfer = depot.store.fetch(&sha256(&artifact), None, held(), start);
    send.send(Ok(Bytes::copy_from_slice(&artifact[..500 * 1024]))).unwrap();
    transfer.ready().await.unwrap();
    let mut stream = transfer.stream();
    let mut got = stream.next().await.unwrap().unwrap().to_vec();
    send.send(Ok(Bytes::copy_from_slice(&artifact[500 * 1024..]))).unwrap();
    drop(send);
    transfer.finished().await.unwrap();
    let other = bytes(2, 900 * 1024);
    depot.put(&other).await;
    assert_eq!(depot.blobs(), 1);
    got.extend(all(stream).await.unwrap());
    assert!(got == artifact);
}

#[tokio::test]
async fn what_is_under_way_counts_and_more_than_the_store_holds_is_not_begun() {
    let depot = small();
    let old = bytes(0, 50 * 1024);
    depot.put(&old).await;
    let artifacts: Vec<_> = (1..4).map(|seed| bytes(seed, 40 * 1024)).collect();
    let mut begun: Vec<_> = artifacts
        .iter()
        .take(2)
        .map(|artifact| {
            let (send, _, start) = upstream(None);
            (send, depot.store.fetch(&sha256(artifact), Some(40 * KIB), held(), start))
        })
        .collect();
    // One after the other: what is promised is set aside when a fetch begins.
    while lock(&depot.store.0.stock).admitted < 80 * KIB {
        tokio::task::yield_now().await;
    }
    let refused = depot.store.fetch(&sha256(&artifacts[2]), Some(40 * KIB), held(), unasked()).finished().await;
    assert!(matches!(refused, Err(FetchError::Store(_))));
    assert_eq!(depot.store.facts().bytes, 50 * KIB, "a promise evicts nothing, only bytes do");
    for ((send, transfer), artifact) in begun.iter_mut().zip(&artifacts) {
        send.send(Ok(Bytes::copy_from_slice(artifact))).unwrap();
        let (close, _, _) = upstream(None);
        *send = close;
        transfer.finished().await.unwrap();
        assert!(depot.store.facts().bytes <= 100 * KIB);
    }
    assert_eq!((depot.store.facts().blobs, depot.store.facts().evicted), (2, 1));
    depot.fetched(&sha256(&artifacts[2]), &artifacts[2]).await;
}

#[tokio::test]
async fn an_artifact_larger_than_the_store_is_refused() {
    let depot = Depot::with(Limits { size: 10 * KIB, artifact_size: 100 * KIB });
    let error = depot.store.fetch(&sha256(b""), Some(20 * KIB), held(), unasked()).finished().await.unwrap_err();
    assert_eq!(error, FetchError::TooLarge { limit: 10 * KIB });
    depot.put(&bytes(1, 9 * 1024)).await;
    let error = depot.store.put(u64::MAX, |out| out.write_all(&bytes(2, 11 * 1024))).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert_eq!((depot.temporaries(), lock(&depot.store.0.stock).temporary), (0, 0));
}

#[tokio::test]
async fn a_disk_that_is_full_makes_room_once_and_then_fails() {
    let depot = Depot::new();
    depot.put(&bytes(1, 1024)).await;
    let full = || io::Error::from(io::ErrorKind::StorageFull);
    let mut times = 0;
    let mut second = || {
        times += 1;
        if times == 1 { Err(full()) } else { Ok(times) }
    };
    assert_eq!(depot.store.0.with_room(10, &mut second).unwrap(), 2);
    assert_eq!((depot.blobs(), depot.store.facts().evicted), (0, 1));
    let mut times = 0;
    let mut never = || {
        times += 1;
        Err::<(), _>(full())
    };
    assert_eq!(depot.store.0.with_room(10, &mut never).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(times, 2);
}

#[tokio::test]
async fn the_order_of_use_survives_a_kill_and_blobs_are_not_touched_by_it() {
    let depot = Depot::new();
    let pages: Vec<_> = (0..3).map(|seed| bytes(seed, 1000)).collect();
    for page in &pages {
        depot.put(page).await;
    }
    let changed =
        |depot: &Depot, page: &[u8]| std::os::unix::fs::MetadataExt::ctime_nsec(&fs::metadata(depot.blob(&sha256(page))).unwrap());
    let before = changed(&depot, &pages[0]);
    assert!(depot.has(&sha256(&pages[0])).await.is_some());
    depot.store.save().await.unwrap();
    let depot = depot.reopen();
    assert_eq!(changed(&depot, &pages[0]), before);
    assert_eq!(depot.store.prune(Some(1000), None).await.unwrap(), Freed { blobs: 2, bytes: 2000 });
    assert!(depot.has(&sha256(&pages[0])).await.is_some(), "used last");

    // A damaged file of uses costs the order alone.
    for damage in [&b""[..], b"palisade usage1\nabc", &[0xff; 100]] {
        fs::write(depot.root.path().join("store.usage"), damage).unwrap();
        let again = Store::open(depot.root.path(), LIMITS).unwrap();
        assert_eq!(again.facts().blobs, 1);
    }
}

#[tokio::test]
async fn pruning_by_age_takes_what_was_not_used_since() {
    let depot = Depot::new();
    depot.put(b"old").await;
    depot.put(b"new").await;
    let old = Key::of(&sha256(b"old")).unwrap();
    lock(&depot.store.0.stock).set_used(&old, 1000);
    let since = Timestamp::from_second(100).unwrap();
    assert_eq!(depot.store.prune(None, None).await.unwrap(), Freed::default());
    assert_eq!(depot.store.prune(None, Some(since)).await.unwrap(), Freed { blobs: 1, bytes: 3 });
    assert!(depot.has(&sha256(b"new")).await.is_some());
    assert_eq!(depot.store.facts().evicted, 0, "nothing had to make room");
}

#[tokio::test]
async fn a_narrower_store_is_brought_within_its_limits_when_it_is_opened() {
    let depot = Depot::new();
    for seed in 0..10 {
        depot.put(&bytes(seed, 1000)).await;
    }
    let store = Store::open(depot.root.path(), Limits { size: 3500, artifact_size: 1000 }).unwrap();
    assert_eq!((store.facts().blobs, store.facts().bytes, depot.blobs()), (3, 3000, 3));
}

#[tokio::test]
async fn aliases_that_lead_nowhere_are_swept_away() {
    let depot = Depot::new();
    depot.fetched(&sha512(b"gone"), b"gone").await;
    depot.fetched(&sha1(b"stays"), b"stays").await;
    let depot = depot.reopen();
    assert!(depot.has(&sha1(b"stays")).await.is_some());
    // After a start nobody knows which aliases lead to a blob.
    depot.store.prune(Some(5), None).await.unwrap();
    assert!(!depot.alias(&sha512(b"gone")).exists() && depot.alias(&sha1(b"stays")).exists());
    assert_eq!(lock(&depot.store.0.stock).aliases, 1);
}
