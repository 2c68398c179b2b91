//! Files that are cut, extended, emptied or gone are refused at open with an error that names the file, and
//! found by the check.

use crate::common::rng::Rng;
use crate::trials::{Image, Seen, check, folder, is_commit, look, the_index, total};
use lucerne::codec::Directory;
use lucerne::{Error, ErrorKind};

/// Puts each of `variants` in `file`'s place: refused at open and found by the check, by name.
fn refused(image: &Image, file: &str, variants: impl Iterator<Item = Vec<u8>>) -> usize {
    let directory = folder(image);
    let mut tried = 0;
    for variant in variants {
        let (bytes, len, whole) = (total(image), variant.len(), image[file].len());
        let what = || format!("{file}: {len} bytes instead of {whole}");
        directory.put(file, variant);
        let seen: Seen = look(&directory, bytes + 64, &what);
        seen.refused(file, &what);
        seen.found(file, &what);
        tried += 1;
    }
    tried
}

/// The files are a few KiB long, so this is every border of every structure and all that lies between.
#[test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn every_file_cut_at_every_length_is_refused() {
    let image = the_index();
    let cut = |(file, whole): (&String, &Vec<u8>)| {
        refused(&image, file, (0..whole.len()).map(|len| whole[..len].to_vec()))
    };
    let tried: usize = image.iter().map(cut).sum();
    println!("{tried} truncations of {} files: all refused at open and found by the check", image.len());
    assert_eq!(tried, total(&image));
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn every_file_with_bytes_after_its_end_is_refused() {
    let image = the_index();
    let mut rng = Rng::new(7);
    let mut tried = 0;
    for (file, whole) in &image {
        let longer = (1..=64).flat_map(|extra| {
            let noise: Vec<u8> = (0..extra).map(|_| rng.next() as u8).collect();
            // What a repeated write would leave: the file's own end once more.
            let again = whole[whole.len() - extra..].to_vec();
            [vec![0; extra], noise, again].map(|tail| [whole.clone(), tail].concat())
        });
        tried += refused(&image, file, longer.collect::<Vec<_>>().into_iter());
    }
    println!("{tried} extensions of {} files: all refused at open and found by the check", image.len());
}

#[test]
fn every_file_that_is_missing_is_refused_by_name() {
    let image = the_index();
    for file in image.keys() {
        let directory = folder(&image);
        directory.delete(file).unwrap();
        let what = || format!("{file}: missing");
        let seen = look(&directory, total(&image), &what);
        if is_commit(file) {
            // Without its commit a folder is no index; nothing else says that there was one.
            assert!(matches!(seen.open, Err(Error::NotAnIndex { .. })), "{}", what());
            assert!(matches!(check(&directory), Err(Error::NotAnIndex { .. })), "{}", what());
            continue;
        }
        seen.refused(file, &what);
        assert_eq!(seen.open.err().map(|error| error.kind()), Some(ErrorKind::NotFound));
        let problems = seen.report.unwrap().problems;
        assert!(problems.iter().any(|problem| problem.file == *file), "{}: {problems:?}", what());
    }
}
