//! What the disk holds is not what was put there.

use std::io::Read;

use super::*;

#[tokio::test]
async fn a_byte_that_flips_while_the_depot_runs_is_never_served() {
    let depot = Depot::new();
    let artifact = bytes(1, 300_000);
    let (digest, blob) = (sha512(&artifact), depot.blob(&sha256(&artifact)));
    let open = depot.fetched(&digest, &artifact).await;
    flip(&blob, 1234);
    assert!(all(open.stream(0..300_000)).await.is_err(), "who had it open gets an error, not the byte");
    let mut read = Vec::new();
    assert!(open.reader().unwrap().read_to_end(&mut read).is_err());
    assert!(matches!(depot.store.get(&digest).await.unwrap(), Found::Damaged));
    assert!(!blob.exists() && !depot.alias(&digest).exists());
    assert!(matches!(depot.store.get(&digest).await.unwrap(), Found::Missing));
    assert_eq!((depot.store.facts().damaged, depot.store.facts().bytes), (1, 0));

    depot.fetched(&digest, &artifact).await;
    assert!(depot.has(&digest).await.unwrap() == artifact);
}

#[tokio::test]
async fn a_byte_that_flipped_while_the_depot_was_away_is_never_served() {
    for promised in [sha1, sha256, sha512] {
        let depot = Depot::new();
        let digest = promised(b"artifact");
        depot.fetched(&digest, b"artifact").await;
        flip(&depot.blob(&sha256(b"artifact")), 0);
        let depot = depot.reopen();
        assert_eq!(depot.store.facts().blobs, 1, "nothing is read before it is asked for");
        let (one, other) = tokio::join!(depot.store.get(&digest), depot.store.get(&digest));
        // Who comes a moment later finds it gone.
        let found = [one.unwrap(), other.unwrap()];
        assert!(found.iter().any(|found| matches!(found, Found::Damaged)) && !found.iter().any(|found| matches!(found, Found::Whole(_))));
        assert_eq!((depot.store.facts().damaged, depot.blobs()), (1, 0));
    }
}

#[tokio::test]
async fn what_is_right_is_served_after_a_restart_and_proved_once_for_all_who_ask() {
    let depot = Depot::new();
    let artifact = bytes(2, 3_000_000);
    let digest = sha512(&artifact);
    depot.fetched(&digest, &artifact).await;
    let depot = depot.reopen();
    let busy = depot.store.0.permits.acquire_many(4).await.unwrap();
    let gets: Vec<_> = (0..50)
        .map(|_| {
            let (store, digest) = (depot.store.clone(), digest.clone());
            tokio::spawn(async move { store.get(&digest).await })
        })
        .collect();
    // One for each who waits, one on the list.
    while lock(&depot.store.0.checks).values().next().and_then(futures_util::future::Shared::strong_count) != Some(51) {
        tokio::task::yield_now().await;
    }
    assert_eq!(lock(&depot.store.0.checks).len(), 1);
    drop(busy);
    for get in gets {
        assert!(matches!(get.await.unwrap().unwrap(), Found::Whole(blob) if blob.size() == 3_000_000));
    }
    assert!(depot.has(&digest).await.unwrap() == artifact);
    assert!(lock(&depot.store.0.checks).is_empty());
}

#[tokio::test]
async fn a_file_that_is_cut_or_longer_or_of_another_kind_is_never_served() {
    type Harm = fn(&Path);
    let harms: [Harm; 5] = [
        |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(3).unwrap(),
        |path| fs::OpenOptions::new().write(true).open(path).unwrap().set_len(300).unwrap(),
        |path| {
            // The right content by way of a link: who could set it could turn it.
            let aside = path.with_extension("aside");
            fs::rename(path, &aside).unwrap();
            std::os::unix::fs::symlink(&aside, path).unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for harm in harms {
        let depot = Depot::new();
        let digest = sha256(b"artifact");
        depot.fetched(&digest, b"artifact").await;
        harm(&depot.blob(&digest));
        assert!(matches!(depot.store.get(&digest).await.unwrap(), Found::Damaged));
        assert!(fs::symlink_metadata(depot.blob(&digest)).is_err());
        depot.fetched(&digest, b"artifact").await;
        assert_eq!(depot.has(&digest).await.unwrap(), b"artifact");
    }
}

#[tokio::test]
async fn a_file_that_vanished_is_missing_and_nothing_is_damaged() {
    let depot = Depot::new();
    let digest = sha512(b"artifact");
    depot.fetched(&digest, b"artifact").await;
    fs::remove_file(depot.blob(&sha256(b"artifact"))).unwrap();
    assert!(matches!(depot.store.get(&digest).await.unwrap(), Found::Missing));
    assert!(matches!(depot.store.get(&digest).await.unwrap(), Found::Missing));
    assert_eq!((depot.store.facts().damaged, depot.store.facts().blobs), (0, 0));
    assert!(!depot.alias(&digest).exists(), "it led nowhere");
}

#[tokio::test]
async fn an_alias_that_was_tampered_with_leads_to_nothing_else() {
    for is_reopened in [false, true] {
        let mut depot = Depot::new();
        let (good, evil) = (sha512(b"good"), sha512(b"evil"));
        depot.fetched(&good, b"good").await;
        depot.fetched(&evil, b"evil").await;
        for text in
            [format!("{} 4\n", sha256(b"evil")), format!("{} 5\n", sha256(b"good")), "../../etc/passwd 4\n".to_owned(), String::new()]
        {
            depot.fetched(&good, b"good").await;
            fs::write(depot.alias(&good), &text).unwrap();
            if is_reopened {
                depot = depot.reopen();
            }
            assert!(matches!(depot.store.get(&good).await.unwrap(), Found::Damaged), "{text}");
            assert!(!depot.alias(&good).exists());
            assert_eq!(depot.has(&evil).await.unwrap(), b"evil", "the blob that it led to did nothing wrong");
        }
        fs::remove_file(depot.alias(&evil)).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", depot.alias(&evil)).unwrap();
        assert!(matches!(depot.store.get(&evil).await.unwrap(), Found::Damaged));
    }
}

#[tokio::test]
async fn opening_clears_away_what_a_crash_and_others_left() {
    let depot = Depot::new();
    let digest = sha512(b"artifact");
    depot.fetched(&digest, b"artifact").await;
    let root = depot.root.path().to_owned();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "kept").unwrap();
    let own = depot.blob(&sha256(b"artifact"));
    let shard = own.parent().unwrap();
    fs::write(root.join("tmp/17"), "half an artifact").unwrap();
    fs::create_dir_all(root.join("tmp/deep/deeper")).unwrap();
    for odd in ["README", "..x", &"ab".repeat(31), &"AB".repeat(32), &"zz".repeat(32)] {
        fs::write(shard.join(odd), "odd").unwrap();
        fs::write(root.join("blobs").join(odd), "odd").unwrap();
        fs::write(root.join("aliases/sha512").join(odd), "odd").unwrap();
    }
    let other = sha256(b"other").hex();
    let elsewhere = if shard.ends_with("00") { "01" } else { "00" };
    fs::create_dir_all(root.join("blobs").join(elsewhere)).unwrap();
    fs::write(root.join("blobs").join(elsewhere).join(own.file_name().unwrap()), "artifact").unwrap();
    std::os::unix::fs::symlink(outside.path(), root.join("blobs/zz")).unwrap();
    let _ = fs::remove_dir(root.join("blobs").join(&other[..2]));
    std::os::unix::fs::symlink(outside.path(), root.join("blobs").join(&other[..2])).unwrap();
    std::os::unix::fs::symlink(
        outside.path().join("precious"),
        shard.join(format!("{}{}", &own.file_name().unwrap().to_str().unwrap()[..2], "0".repeat(62))),
    )
    .unwrap();

    let depot = depot.reopen();
    assert_eq!((depot.temporaries(), depot.blobs(), depot.store.facts().blobs), (0, 1, 1));
    assert_eq!(depot.has(&digest).await.unwrap(), b"artifact");
    depot.fetched(&sha256(b"other"), b"other").await;
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 1, "nothing was written or removed behind a link");
    assert_eq!(fs::read_to_string(outside.path().join("precious")).unwrap(), "kept");
}

#[tokio::test]
async fn verifying_reads_everything_and_names_what_was_damaged() {
    let depot = Depot::new();
    let good = [bytes(1, 10), bytes(2, 2_000_000), bytes(3, 30)];
    for (artifact, promised) in good.iter().zip([sha256, sha512, sha1]) {
        depot.fetched(&promised(artifact), artifact).await;
    }
    depot.fetched(&sha512(b"one"), b"one").await;
    depot.fetched(&sha256(b"two"), b"two").await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    let verified = depot.store.verify(|_, _| ()).await.unwrap();
    assert_eq!((verified.blobs, verified.bytes, verified.damaged), (5, 2_000_046, vec![]));

    flip(&depot.blob(&sha256(b"one")), 0);
    flip(&depot.blob(&sha256(b"two")), 0);
    let depot = depot.reopen();
    let mut verified = depot.store.verify(move |done, total| tell.lock().unwrap().push((done, total))).await.unwrap();
    verified.damaged.sort();
    let mut damaged = vec![sha512(b"one"), sha256(b"two")];
    damaged.sort();
    assert_eq!(verified, Verified { blobs: 3, bytes: 2_000_040, damaged });
    assert_eq!((depot.store.facts().blobs, depot.store.facts().damaged), (3, 2));
    let told = told.lock().unwrap();
    assert!(told.is_sorted() && told.first() == Some(&(0, 2_000_046)) && told.last() == Some(&(2_000_046, 2_000_046)), "{told:?}");
}

#[tokio::test]
async fn what_the_depot_writes_is_kept_by_its_digest_and_bounded() {
    let depot = Depot::new();
    let page = bytes(9, 100_000);
    let (written, expected) = (page.clone(), sha256(&page));
    let (blob, value) = depot.store.put(100_000, move |out| out.write_all(&written).map(|()| 42)).await.unwrap();
    assert_eq!((value, blob.digest(), blob.size()), (42, &expected, 100_000));
    assert!(depot.has(&expected).await.unwrap() == page);
    let mut read = Vec::new();
    blob.reader().unwrap().read_to_end(&mut read).unwrap();
    assert!(read == page);
    assert!(all(blob.stream(99_990..200_000)).await.unwrap() == page[99_990..]);
    assert!(all(blob.stream(5..5)).await.unwrap().is_empty());
    assert!(all(blob.stream(300_000..u64::MAX)).await.unwrap().is_empty());

    let small = depot.put(b"a small page").await;
    let Found::Whole(found) = depot.store.get(small.digest()).await.unwrap() else { panic!("it was put there") };
    for range in [0..12, 2..7, 7..100, 5..5, 12..13, 100..200] {
        let (from_disk, at_hand) = (all(small.stream(range.clone())).await.unwrap(), all(found.stream(range.clone())).await.unwrap());
        let part = usize::try_from(range.start).unwrap()..usize::try_from(range.end.min(12)).unwrap();
        assert_eq!(
            (from_disk.as_slice(), at_hand.as_slice()),
            (b"a small page".get(part.clone()).unwrap_or_default(), from_disk.as_slice())
        );
    }
    fs::remove_file(depot.blob(small.digest())).unwrap();
    assert!(matches!(depot.store.get(small.digest()).await.unwrap(), Found::Missing));

    let written = page.clone();
    let error = depot.store.put(99_999, move |out| out.write_all(&written)).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    let error = depot.store.put(10, |_| Err::<(), _>(io::Error::other("not a page"))).await.unwrap_err();
    assert_eq!(error.to_string(), "not a page");
    assert_eq!((depot.temporaries(), depot.blobs()), (0, 1));
    assert_eq!(depot.put(&page).await.size(), 100_000, "again is once");
    assert_eq!((depot.blobs(), depot.store.facts().bytes), (1, 100_000));
}

#[tokio::test]
async fn a_document_is_kept_when_it_has_ended_and_nothing_stays_of_one_that_did_not() {
    let depot = Depot::new();
    let piece = |bytes: &'static [u8]| Ok(bytes::Bytes::from_static(bytes));
    let whole: crate::depot::store::ByteStream = futures_util::stream::iter([piece(b"a "), piece(b"page")]).boxed();
    let blob = depot.store.take_in(6, whole).await.unwrap();
    assert_eq!(blob.size(), 6);
    let long: crate::depot::store::ByteStream = futures_util::stream::iter([piece(b"a "), piece(b"longer page")]).boxed();
    assert_eq!(depot.store.take_in(6, long).await.unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    let broken: crate::depot::store::ByteStream =
        futures_util::stream::iter([piece(b"a "), Err(io::ErrorKind::ConnectionReset.into())]).boxed();
    depot.store.take_in(6, broken).await.unwrap_err();
    // Whoever waits for it leaves.
    let left = futures_util::stream::iter([piece(b"another")]).chain(futures_util::stream::pending()).boxed();
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), depot.store.take_in(100, left)).await;
    assert!(waiting.is_err());
    assert_eq!(depot.store.facts().blobs, 1);
}
