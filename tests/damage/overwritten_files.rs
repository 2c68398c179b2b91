//! Files that are overwritten at random or put in the place of another segment's, field's, commit's or index's file: the
//! check finds them, and damaged metadata is refused at open.

use crate::common::rng::Rng;
use crate::trials::{
    Forge, Image, folder, generations, is_commit, is_metadata, look, named, seed, the_index, total,
};
use lucerne::ErrorKind;

#[test]
fn two_hundred_random_overwrites_are_survived_and_found() {
    let (image, seed) = (the_index(), seed());
    let names: Vec<&str> = image.keys().map(String::as_str).collect();
    let mut rng = Rng::new(seed);
    for trial in 0..200 {
        let file = *rng.pick(&names);
        let mut bytes = image[file].clone();
        let (at, len) = (rng.below(bytes.len()), 1 + rng.below(64));
        bytes.iter_mut().skip(at).take(len).for_each(|byte| *byte = rng.next() as u8);
        if bytes == image[file] {
            continue;
        }
        let what =
            || format!("LUCERNE_SEED={seed}, trial {trial}: {file}: {len} bytes from {at} overwritten");
        let directory = folder(&image);
        directory.put(file, bytes);
        let seen = look(&directory, total(&image), &what);
        seen.found(file, &what);
        match &seen.open {
            Ok(_) => assert!(!is_metadata(file), "{}: opened", what()),
            Err(error) => assert_eq!(named(error), Some(file), "{}: {error}", what()),
        }
    }
}

/// Puts `twin` in the place of `file`: refused at open and found by the check, by name.
fn swapped(image: &Image, file: &str, twin: &[u8], whose: &str) {
    assert_ne!(image[file], twin, "{file}: its twin is the same file");
    let what = || format!("{file}: that of {whose} in its place");
    let directory = folder(image);
    directory.put(file, twin);
    let seen = look(&directory, total(image) + twin.len(), &what);
    seen.refused(file, &what);
    seen.found(file, &what);
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are the point")]
fn a_file_in_another_s_place_is_refused() {
    let [first, second, image] = generations(1);
    let [_, _, other] = generations(2);
    let mut swaps = 0;
    let mut swap = |file: &str, twin: &[u8], whose: &str| {
        swapped(&image, file, twin, whose);
        swaps += 1;
    };
    for (file, bytes) in &image {
        assert_ne!(*bytes, other[file], "{file}: an index of another seed has the same");
        // A commit belongs to no segment: another index's commit is whole, and names what is not here.
        if !is_commit(file) {
            swap(file, &other[file], "another index");
        }
        // `_0.6.vec` and `_1.6.vec`; live docs of the two segments are of one generation.
        let of_other_segment = match file.split_at_checked(2) {
            Some(("_0", rest)) => format!("_1{rest}"),
            Some(("_1", rest)) => format!("_0{rest}"),
            _ => continue,
        };
        swap(file, &image[&of_other_segment], "the other segment");
        let of_other_field = match file.get(2..5) {
            Some(".6.") => file.replacen(".6.", ".7.", 1),
            Some(".7.") => file.replacen(".7.", ".6.", 1),
            _ => continue,
        };
        if let Some(twin) = image.get(&of_other_field) {
            swap(file, twin, "the other field");
        }
    }
    // Older generations under the newest names.
    let commit = Forge::new(&image).commit_file();
    for (generation, older) in [("first", &first), ("second", &second)] {
        swap(&commit, &older[&Forge::new(older).commit_file()], generation);
        for (file, twin) in older.iter().filter(|(file, _)| file.ends_with(".live")) {
            let newest = image.keys().find(|name| name.starts_with(&file[..2]) && name.ends_with(".live"));
            swap(newest.unwrap(), twin, generation);
        }
    }
    println!("{swaps} swaps: all refused at open and found by the check");

    // Another index's commit: what it names is refused.
    let directory = folder(&image);
    directory.put(&commit, other[&commit].as_slice());
    let what = || "the commit of another index".to_owned();
    let seen = look(&directory, total(&image), &what);
    let refused = seen.open.expect_err("opened").kind();
    assert_eq!(refused, ErrorKind::Corrupt);
    assert!(!seen.report.unwrap().ok());
    // An older commit with its own name, after the newest is gone: its live docs are gone too.
    let mut rolled_back = image.clone();
    rolled_back.remove(&commit);
    let older = Forge::new(&second).commit_file();
    rolled_back.insert(older.clone(), second[&older].clone());
    let seen = look(&folder(&rolled_back), total(&image), &what);
    assert_eq!(seen.open.expect_err("opened").kind(), ErrorKind::NotFound);
    assert!(!seen.report.unwrap().ok());
}
