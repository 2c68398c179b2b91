//! What every format of live docs must do.

use crate::envelope::FileEntry;
use crate::format::{OpenContext, Written};
use crate::live_docs::LiveDocsFormat;
use crate::testing::{Bench, Verdict, check_damage};
use crate::{BitSet, Metadata, Result};

/// Runs the whole suite; panics where the format breaks a promise.
pub fn check_live_docs_format(format: &dyn LiveDocsFormat) {
    for max_doc in [1, 63, 64, 65, 10_000] {
        let bench = Bench::new();
        let mut live = BitSet::full(max_doc);
        for generation in 1..=3u64 {
            live.remove((max_doc - 1) / generation as u32);
            let written = write(format, &bench, generation, &live);
            assert_eq!(format.read(&bench.open(max_doc, &written)).expect("read"), live);
            let again = bench.write(max_doc);
            let again = format.write(again.directory, again.segment, again.segment_id, generation, &live);
            assert!(again.is_err(), "a generation is written once");
        }
        assert_eq!(bench.directory.files().len(), 3, "a file for each generation");
    }
    misuse_is_refused(format);
    damage_is_noticed(format);
}

fn write(format: &dyn LiveDocsFormat, bench: &Bench, generation: u64, live: &BitSet) -> Written {
    let entry = format.write(&bench.directory, Bench::SEGMENT, Bench::ID, generation, live);
    Written { files: vec![entry.expect("written")], meta: Metadata::Null }
}

fn misuse_is_refused(format: &dyn LiveDocsFormat) {
    let bench = Bench::new();
    let written = write(format, &bench, 1, &BitSet::full(70));
    let refused = |context: OpenContext<'_>| format.read(&context).expect_err("refused");
    refused(bench.open(69, &written));
    refused(bench.open(71, &written));
    refused(bench.open(70, &Written::default()));
    refused(OpenContext { segment_id: Bench::OTHER, ..bench.open(70, &written) });
}

fn damage_is_noticed(format: &dyn LiveDocsFormat) {
    let bench = Bench::new();
    let mut live = BitSet::full(70);
    live.remove(69);
    live.remove(3);
    let written = write(format, &bench, 2, &live);
    check_damage(&bench.directory, &written.files[0], &|entry: &FileEntry| {
        let written = Written { files: vec![entry.clone()], meta: Metadata::Null };
        read(format, &bench, &written, &live)
    });
}

fn read(format: &dyn LiveDocsFormat, bench: &Bench, written: &Written, live: &BitSet) -> Result<Verdict> {
    let found = format.read(&bench.open(live.len(), written))?;
    Ok(if found == *live { Verdict::Right } else { Verdict::Wrong })
}
