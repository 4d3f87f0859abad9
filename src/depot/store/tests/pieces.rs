//! However a body is cut into pieces, and whatever is wrong with it.

use proptest::prelude::*;

use super::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn readers_get_all_of_what_was_promised_or_an_error(
        length in 0_usize..700_000,
        cuts in proptest::collection::vec(1_usize..300_000, 1..20),
        wrong in proptest::option::weighted(0.3, any::<prop::sample::Index>()),
        lost in proptest::option::weighted(0.2, any::<prop::sample::Index>()),
        says_size in any::<bool>(),
        readers in 1_usize..20,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let depot = Depot::new();
            let artifact = bytes(5, length);
            let digest = sha512(&artifact);
            let mut sent = artifact.clone();
            if let (Some(at), false) = (wrong, sent.is_empty()) {
                let at = at.index(sent.len());
                sent[at] ^= 1;
            }
            if let (Some(at), false) = (lost, sent.is_empty()) {
                sent.truncate(at.index(sent.len()));
            }
            let mut pieces = Vec::new();
            let mut rest = Bytes::from(sent.clone());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                pieces.push(Ok(rest.split_to((*cut).min(rest.len()))));
            }
            let size = says_size.then_some(length as u64);
            let mut first = depot.store.fetch(&digest, None, held(), says(size, pieces));
            let streams: Vec<_> = (0..readers)
                .map(|_| tokio::spawn(given(depot.store.fetch(&digest, None, held(), says(size, Vec::new())).stream())))
                .collect();
            let is_right = sent == artifact;
            assert_eq!(first.finished().await.is_ok(), is_right);
            for stream in streams {
                let (got, is_whole) = stream.await.unwrap();
                // A reader that came after a failure began a fetch of its own, of a body that ends at once.
                assert!(if is_whole { got == artifact } else { got.len() < artifact.len().max(1) && !is_right });
            }
            assert_eq!(depot.has(&digest).await, is_right.then_some(artifact));
            assert_eq!(depot.temporaries(), 0);
            let stock = lock(&depot.store.0.stock);
            assert_eq!((stock.temporary, stock.admitted), (0, 0));
        });
    }
}
