//! Whatever a sandbox's end of a terminal says: frames come out whole and the same however they are cut, and what is no
//! frame ends it before it takes room.

use palisade::terminal::wire::{Frames, Say, Told};

/// The first byte says how long the pieces are.
pub fn check(data: &[u8]) {
    let Some((&piece, said)) = data.split_first() else { return };
    let (told, says) = read(said, usize::from(piece) + 1);
    assert_eq!((&told, &says), (&read(said, said.len().max(1)).0, &read(said, said.len().max(1)).1), "where it was cut shows");
    let again: Vec<u8> = told.iter().flat_map(Told::encode).collect();
    assert_eq!(read(&again, 7).0, told);
    let again: Vec<u8> = says.iter().flat_map(Say::encode).collect();
    assert_eq!(read(&again, 7).1, says);
}

fn read(bytes: &[u8], piece: usize) -> (Vec<Told>, Vec<Say>) {
    let (mut from_inside, mut from_outside) = (Frames::default(), Frames::default());
    let (mut told, mut says) = (Vec::new(), Vec::new());
    let (mut inside_ended, mut outside_ended) = (false, false);
    for piece in bytes.chunks(piece) {
        from_inside.push(piece);
        while !inside_ended {
            match from_inside.told() {
                Ok(Some(one)) => told.push(one),
                Ok(None) => break,
                Err(_) => inside_ended = true,
            }
        }
        from_outside.push(piece);
        while !outside_ended {
            match from_outside.say() {
                Ok(Some(one)) => says.push(one),
                Ok(None) => break,
                Err(_) => outside_ended = true,
            }
        }
    }
    (told, says)
}
