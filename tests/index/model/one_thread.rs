//! One thread does anything in any order.

use super::{Model, Record, for_each_seed, setup::Setup};
use crate::common::rng::Rng;
use lucerne::{ErrorKind, Index, Range, Searcher, Update, Writer};
use std::collections::{BTreeMap, BTreeSet};

struct Run {
    setup: Setup,
    rng: Rng,
    /// In this order: the writer is dropped before its index.
    writer: Option<Writer>,
    index: Index,
    current: Model,
    visible: Model,
    committed: Model,
    notes: BTreeMap<String, String>,
    held: Vec<(Searcher, Model)>,
    known: BTreeSet<String>,
    /// The last key this writer has assigned.
    automatic: Option<String>,
    tag: i64,
}

#[test]
fn one_thread_does_what_a_map_does() {
    for_each_seed(|seed, operations| {
        let mut rng = Rng::new(seed);
        let mut setup = Setup::new(seed, &mut rng);
        // Merges on the thread that flushes: a seed always does the same.
        setup.options = setup.options.merge_threads(0);
        let index = setup.create();
        let mut run = Run {
            writer: Some(setup.writer(&index)),
            index,
            setup,
            rng,
            current: Model::new(),
            visible: Model::new(),
            committed: Model::new(),
            notes: BTreeMap::new(),
            held: Vec::new(),
            known: BTreeSet::new(),
            automatic: None,
            tag: 0,
        };
        for _ in 0..operations {
            run.step();
        }
        for _ in 0..run.held.len() {
            run.verify_held();
        }
        run.writer.take();
        drop(run.index);
        run.setup.verify_files(&run.committed);
    });
}

impl Run {
    fn step(&mut self) {
        match self.rng.below(100) {
            0..25 => self.add(),
            25..42 => self.upsert(),
            42..48 => self.delete(),
            48..50 => self.delete_by_query(),
            50..52 => self.update_by_query(),
            52..62 => self.batch(),
            62..67 => self.refused(),
            67..77 => self.refresh(),
            77..83 => self.commit(),
            83..88 => self.two_phases(),
            88..91 => self.rollback(),
            91..94 => self.reopen(),
            94..97 => self.hold(),
            _ => self.verify_held(),
        }
    }

    fn writer(&self) -> &Writer {
        self.writer.as_ref().unwrap()
    }

    fn new_record(&mut self) -> Record {
        self.tag += 1;
        self.setup.record(self.tag, &mut self.rng)
    }

    /// A key, new or known; `None` when keys are automatic and a new one is due.
    fn key(&mut self) -> Option<String> {
        if self.setup.automatic {
            let known: Vec<&String> = self.known.iter().collect();
            return (!known.is_empty() && self.rng.chance(50)).then(|| (*self.rng.pick(&known)).clone());
        }
        let number = self.rng.below(30);
        Some(if number < 3 { format!("ключ {number} \u{1F511} \"\\\n") } else { format!("k{number:02}") })
    }

    /// Writes to the model what was written to the index.
    fn wrote(&mut self, asked: Option<&str>, key: String, record: Record) {
        match asked {
            Some(asked) => assert_eq!(key, asked),
            None => {
                assert!(self.automatic.as_ref().is_none_or(|last| *last < key), "{key} is not a new key");
                self.automatic = Some(key.clone());
            }
        }
        self.known.insert(key.clone());
        self.current.insert(key, record);
    }

    fn add(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let added = self.writer().add(&self.setup.document(key.as_deref(), &record));
        if key.as_ref().is_some_and(|key| self.current.contains_key(key)) {
            let error = added.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}");
        } else {
            self.wrote(key.as_deref(), added.unwrap(), record);
        }
    }

    fn upsert(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let written = self.writer().upsert(&self.setup.document(key.as_deref(), &record)).unwrap();
        self.wrote(key.as_deref(), written, record);
    }

    fn delete(&mut self) {
        let key = self.key().unwrap_or_else(|| "no such key".to_owned());
        let deleted = self.writer().delete(&key).unwrap();
        assert_eq!(deleted, self.current.remove(&key).is_some(), "delete {key:?}");
    }

    /// Documents of some tags, oldest or newest.
    fn delete_by_query(&mut self) {
        let (from, to) = (self.rng.below(self.tag as usize + 1) as i64, self.rng.below(12) as i64);
        let gone = from..from + to;
        let query = Range::new("tag").gte(gone.start).lt(gone.end);
        let report = self.writer().delete_by_query(query).unwrap();
        let before = self.current.len();
        self.current.retain(|_, record| !gone.contains(&record.tag));
        assert_eq!(report.changed, (before - self.current.len()) as u64, "{report:?}");
        assert_eq!((report.matched, report.skipped), (report.changed, 0));
    }

    fn update_by_query(&mut self) {
        let from = self.rng.below(self.tag as usize + 1) as i64;
        let update = Update::new().increment("tag", 1_000).set("word", vec!["x", "y"]);
        let report = self.writer().update_by_query(Range::new("tag").gte(from), update).unwrap();
        let updated = self.current.values_mut().filter(|record| record.tag >= from);
        let updated = updated.map(|record| record.tag += 1_000).count();
        assert_eq!((report.matched, report.changed), (updated as u64, updated as u64), "{report:?}");
    }

    fn batch(&mut self) {
        let count = 1 + self.rng.below(6);
        let replace = self.rng.chance(60);
        let rows: Vec<_> = (0..count).map(|_| (self.key(), self.new_record())).collect();
        let documents: Vec<_> =
            rows.iter().map(|(key, record)| self.setup.document(key.as_deref(), record)).collect();
        let given: Vec<&String> = rows.iter().filter_map(|(key, _)| key.as_ref()).collect();
        let twice = BTreeSet::from_iter(&given).len() < given.len();
        let existing = given.iter().any(|key| self.current.contains_key(*key));
        let written = match replace {
            true => self.writer().upsert_batch(&documents),
            false => self.writer().add_batch(&documents),
        };
        if twice || existing && !replace {
            assert_eq!(written.unwrap_err().kind(), ErrorKind::AlreadyExists);
            return;
        }
        let written = written.unwrap();
        assert_eq!(written.len(), count);
        for ((asked, record), key) in rows.into_iter().zip(written) {
            self.wrote(asked.as_deref(), key, record);
        }
    }

    /// What does not fit the schema leaves nothing behind, alone or in a batch.
    fn refused(&mut self) {
        let (key, record) = (self.key(), self.new_record());
        let good = self.setup.document(key.as_deref(), &record);
        let mut long = self.setup.fields[0].vector(&mut self.rng);
        let mut bad = good.clone();
        match self.rng.below(6) {
            0 => {
                long.push(0.5);
                bad.set("a", long);
            }
            1 => {
                long[0] = f32::NAN;
                bad.set("a", long);
            }
            2 => bad.set("undeclared", 1),
            3 => bad.set("id", ""),
            4 => bad.set("id", "x".repeat(600)),
            _ => bad.set("tag", "seven"),
        }
        let writer = self.writer();
        let error = match self.rng.clone().below(3) {
            0 => writer.add(&bad).unwrap_err(),
            1 => writer.upsert(&bad).unwrap_err(),
            _ => writer.upsert_batch(&[good, bad]).unwrap_err(),
        };
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }

    fn refresh(&mut self) {
        self.writer().refresh().unwrap();
        self.visible = self.current.clone();
        self.verify();
    }

    fn commit(&mut self) {
        let generation = self.writer().commit().unwrap();
        self.visible = self.current.clone();
        self.committed = self.current.clone();
        assert_eq!(self.index.searcher().unwrap().generation(), generation);
        self.verify();
    }

    /// What is written between the phases belongs to the next commit.
    fn two_phases(&mut self) {
        let writer = self.writer.take().unwrap();
        let noted = self.rng.chance(50).then(|| BTreeMap::from([("note".to_owned(), self.tag.to_string())]));
        let prepared = match noted.clone() {
            Some(notes) => writer.prepare_commit_with(notes),
            None => writer.prepare_commit(),
        };
        let prepared = prepared.unwrap();
        let at_prepare = self.current.clone();
        for _ in 0..self.rng.below(4) {
            let (key, record) = (self.key(), self.new_record());
            let written = writer.upsert(&self.setup.document(key.as_deref(), &record)).unwrap();
            self.wrote(key.as_deref(), written, record);
        }
        let refreshed = self.rng.chance(30);
        if refreshed {
            writer.refresh().unwrap();
            self.visible = self.current.clone();
        }
        self.verify();
        let abort = self.rng.chance(30);
        if abort {
            if self.rng.chance(50) {
                prepared.abort().unwrap();
            } else {
                drop(prepared);
            }
        } else {
            let promised = prepared.generation();
            assert_eq!(prepared.commit().unwrap(), promised);
            self.committed = at_prepare.clone();
            if !refreshed {
                self.visible = at_prepare;
            }
            self.notes = noted.unwrap_or_else(|| std::mem::take(&mut self.notes));
            let searcher = self.index.searcher().unwrap();
            assert_eq!(searcher.generation(), promised);
        }
        self.writer = Some(writer);
        self.verify();
    }

    fn rollback(&mut self) {
        self.writer().rollback().unwrap();
        self.visible = self.committed.clone();
        self.current = self.committed.clone();
        self.verify();
    }

    /// Without a commit, or through [`Writer::close`], which commits.
    fn reopen(&mut self) {
        let writer = self.writer.take().unwrap();
        if self.rng.chance(40) {
            writer.close().unwrap();
            self.committed = self.current.clone();
        } else {
            drop(writer);
            self.current = self.committed.clone();
        }
        self.visible = self.committed.clone();
        self.verify();
        self.index = self.setup.open();
        self.writer = Some(self.setup.writer(&self.index));
        self.automatic = None; // Numbers of documents that were never committed may be assigned again.
        self.verify();
    }

    fn hold(&mut self) {
        if self.held.len() < 4 {
            self.held.push((self.index.searcher().unwrap(), self.visible.clone()));
        }
    }

    fn verify_held(&mut self) {
        if !self.held.is_empty() {
            let (searcher, model) = self.held.remove(0);
            self.setup.verify(&searcher, &model, &self.known, &mut self.rng);
        }
    }

    fn verify(&mut self) {
        let searcher = self.index.searcher().unwrap();
        assert_eq!(*searcher.user_data(), self.notes);
        self.setup.verify(&searcher, &self.visible, &self.known, &mut self.rng);
    }
}
