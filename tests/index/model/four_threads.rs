//! Four threads write at once, each keys of its own and keys they contend for.

use super::{Model, Record, for_each_seed, setup::Setup};
use crate::common::rng::Rng;
use lucerne::{Bool, Document, ErrorKind, Index, Prefix, Range, Schema, Searcher, Term, Update, Writer};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

const THREADS: usize = 4;
const OWN_KEYS: usize = 8;
/// Even ones are only added and deleted, so that successes can be counted; odd ones are upserted too.
const CONTESTED: usize = 6;

/// What one operation changes, at once; `None` is a delete.
type Changes = Vec<(String, Option<Record>)>;

/// The keys that one thread writes to and the others only read.
#[derive(Default)]
struct OwnRange {
    base: Model,
    /// What its thread does, noted before it is done.
    log: Mutex<Vec<Changes>>,
    /// How many of them are done.
    done: AtomicUsize,
}

impl OwnRange {
    /// The range after each entry of the log, by tags: what a snapshot may hold.
    fn states(&self) -> Vec<BTreeMap<String, i64>> {
        let mut state: BTreeMap<String, i64> =
            self.base.iter().map(|(key, record)| (key.clone(), record.tag)).collect();
        let mut states = vec![state.clone()];
        for changes in &*self.log.lock().unwrap() {
            for (key, record) in changes {
                match record {
                    Some(record) => state.insert(key.clone(), record.tag),
                    None => state.remove(key),
                };
            }
            states.push(state.clone());
        }
        states
    }

    fn after(&self) -> Model {
        let mut model = self.base.clone();
        for (key, record) in self.log.lock().unwrap().iter().flatten() {
            match record {
                Some(record) => model.insert(key.clone(), record.clone()),
                None => model.remove(key),
            };
        }
        model
    }
}

/// What all threads see.
struct Shared<'a> {
    setup: &'a Setup,
    index: &'a Index,
    writer: &'a Writer,
    ranges: Vec<OwnRange>,
    /// Documents of each contested key that was only added and deleted: never anything but 0 or 1.
    balance: Vec<AtomicI64>,
    may_commit: bool,
}

fn own_key(thread: usize, number: usize) -> String {
    format!("t{thread}-{number}")
}

fn contested_key(number: usize) -> String {
    format!("s{number}")
}

/// What an update by query adds to a tag, which leaves the vectors as they are.
const UPDATED: i64 = 1 << 40;

/// The record a tag stands for, whoever wrote it.
fn record_of(setup: &Setup, tag: i64) -> Record {
    let written = tag % UPDATED;
    Record { tag, ..setup.record(written, &mut Rng::new(written as u64)) }
}

struct Worker<'a> {
    shared: &'a Shared<'a>,
    thread: usize,
    rng: Rng,
    tag: i64,
    own: BTreeSet<String>,
}

impl Worker<'_> {
    fn step(&mut self) {
        match self.rng.below(100) {
            0..35 => self.own_write(),
            35..46 => self.own_batch(),
            46..54 => self.own_delete(),
            54..57 => self.own_update_by_query(),
            57..60 => self.own_delete_by_query(),
            60..85 => self.contend(),
            85..93 => self.refresh(),
            _ if !self.shared.may_commit => self.refresh(),
            93..97 => drop(self.shared.writer.commit().unwrap()),
            _ => self.two_phases(),
        }
    }

    fn new_record(&mut self) -> Record {
        self.tag += 1;
        record_of(self.shared.setup, self.tag)
    }

    fn document(&self, key: &str, record: &Record) -> Document {
        self.shared.setup.document(Some(key), record)
    }

    /// Notes what is about to happen, lets it happen, and says that it has.
    fn logged<T>(&self, changes: Changes, happen: impl FnOnce(&Writer) -> T) -> T {
        let range = &self.shared.ranges[self.thread];
        range.log.lock().unwrap().push(changes);
        let result = happen(self.shared.writer);
        range.done.fetch_add(1, Ordering::SeqCst);
        result
    }

    fn own_write(&mut self) {
        let (key, record) = (own_key(self.thread, self.rng.below(OWN_KEYS)), self.new_record());
        let document = self.document(&key, &record);
        if self.own.contains(&key) {
            assert_eq!(self.shared.writer.add(&document).unwrap_err().kind(), ErrorKind::AlreadyExists);
        }
        let add = self.own.insert(key.clone());
        self.logged(vec![(key, Some(record))], |writer| match add {
            true => writer.add(&document).unwrap(),
            false => writer.upsert(&document).unwrap(),
        });
    }

    fn own_batch(&mut self) {
        let keys: BTreeSet<String> =
            (0..1 + self.rng.below(4)).map(|_| own_key(self.thread, self.rng.below(OWN_KEYS))).collect();
        let rows: Vec<_> = keys.into_iter().map(|key| (key, self.new_record())).collect();
        let documents: Vec<_> = rows.iter().map(|(key, record)| self.document(key, record)).collect();
        self.own.extend(rows.iter().map(|(key, _)| key.clone()));
        let changes = rows.into_iter().map(|(key, record)| (key, Some(record))).collect();
        self.logged(changes, |writer| writer.upsert_batch(&documents).unwrap());
    }

    fn own_delete(&mut self) {
        let key = own_key(self.thread, self.rng.below(OWN_KEYS));
        let existed = self.own.remove(&key);
        let deleted = self.logged(vec![(key.clone(), None)], |writer| writer.delete(&key).unwrap());
        assert_eq!(deleted, existed, "delete {key:?}");
    }

    /// Its own documents with tags from one on, and the query for them.
    fn own_from(&mut self) -> (Vec<(String, Record)>, Bool) {
        let own: Vec<(String, Record)> = self.shared.ranges[self.thread].after().into_iter().collect();
        let from = if own.is_empty() { 0 } else { self.rng.pick(&own).1.tag };
        let matching = own.into_iter().filter(|(_, record)| record.tag >= from).collect();
        let prefix = own_key(self.thread, 0).trim_end_matches('0').to_owned();
        (matching, Bool::new().must(Prefix::new("id", prefix)).must(Range::new("tag").gte(from)))
    }

    fn own_update_by_query(&mut self) {
        let (mut matching, query) = self.own_from();
        matching.iter_mut().for_each(|(_, record)| record.tag += UPDATED);
        let expected = matching.len() as u64;
        let changes = matching.into_iter().map(|(key, record)| (key, Some(record))).collect();
        let update = Update::new().increment("tag", UPDATED);
        let report = self.logged(changes, |writer| writer.update_by_query(query, update).unwrap());
        assert_eq!((report.matched, report.changed), (expected, expected), "{report:?}");
    }

    fn own_delete_by_query(&mut self) {
        let (matching, query) = self.own_from();
        let expected = matching.len() as u64;
        matching.iter().for_each(|(key, _)| _ = self.own.remove(key));
        let changes = matching.into_iter().map(|(key, _)| (key, None)).collect();
        let report = self.logged(changes, |writer| writer.delete_by_query(query).unwrap());
        assert_eq!((report.matched, report.changed), (expected, expected), "{report:?}");
    }

    fn contend(&mut self) {
        let number = self.rng.below(CONTESTED);
        let (key, record) = (contested_key(number), self.new_record());
        let document = self.document(&key, &record);
        let writer = self.shared.writer;
        match self.rng.below(5) {
            3 => {
                let gone = writer.delete_by_query(Term::new("id", &key)).unwrap().changed;
                self.shared.balance[number].fetch_sub(gone as i64, Ordering::SeqCst);
            }
            4 => {
                let update = Update::new().increment("tag", UPDATED);
                let report = writer.update_by_query(Term::new("id", &key), update).unwrap();
                assert_eq!(report.matched, report.changed + report.skipped);
            }
            0 => {
                if writer.delete(&key).unwrap() {
                    self.shared.balance[number].fetch_sub(1, Ordering::SeqCst);
                }
            }
            1 if number % 2 == 1 => drop(writer.upsert(&document).unwrap()),
            _ => match writer.add(&document) {
                Ok(added) => {
                    assert_eq!(added, key);
                    self.shared.balance[number].fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
            },
        }
    }

    fn two_phases(&mut self) {
        let prepared = self.shared.writer.prepare_commit().unwrap();
        self.own_write();
        if self.rng.chance(30) {
            prepared.abort().unwrap();
        } else {
            prepared.commit().unwrap();
        }
    }

    /// A refresh shows at least what every thread had done when it began, and of each thread a state it
    /// really was in.
    fn refresh(&mut self) {
        let shared = self.shared;
        let before: Vec<usize> =
            shared.ranges.iter().map(|range| range.done.load(Ordering::SeqCst)).collect();
        shared.writer.refresh().unwrap();
        let searcher = shared.index.searcher().unwrap();
        let found = shared.read_all(&searcher);
        for (thread, range) in shared.ranges.iter().enumerate() {
            let prefix = own_key(thread, 0).split('-').next().unwrap().to_owned() + "-";
            let own = found.iter().filter(|(key, _)| key.starts_with(&prefix));
            let own: BTreeMap<String, i64> = own.map(|(key, record)| (key.clone(), record.tag)).collect();
            let states = range.states();
            let position = states.iter().skip(before[thread]).position(|state| *state == own);
            assert!(
                position.is_some(),
                "thread {thread} was never in the state {own:?} ({before:?}): {states:?}"
            );
            if thread == self.thread {
                assert_eq!(states.last(), Some(&own), "the refreshing thread sees what it wrote");
            }
        }
        shared.verify(&searcher, &found, &mut self.rng);
    }
}

impl Shared<'_> {
    fn keys() -> impl Iterator<Item = String> {
        let own = (0..THREADS).flat_map(|thread| (0..OWN_KEYS).map(move |number| own_key(thread, number)));
        own.chain((0..CONTESTED).map(contested_key))
    }

    fn read_all(&self, searcher: &Searcher) -> Model {
        let found = Self::keys().filter_map(|key| Some((key.clone(), self.setup.read(searcher, &key)?)));
        found.collect()
    }

    /// What was found by key is what the snapshot holds and searches, and each document is one that some
    /// thread wrote.
    fn verify(&self, searcher: &Searcher, found: &Model, rng: &mut Rng) {
        assert_eq!(searcher.len(), found.len() as u64, "a key has more than one document");
        for (key, record) in found {
            assert_eq!(*record, record_of(self.setup, record.tag), "{key:?}");
        }
        self.setup.verify_searches(searcher, found, rng);
    }
}

/// How a round of concurrent operations ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Refresh,
    Commit,
    Rollback,
    Reopen,
}

#[test]
fn four_threads_do_what_a_map_does() {
    for_each_seed(|seed, operations| {
        let mut rng = Rng::new(seed ^ 0x7447);
        let mut setup = Setup::new(seed, &mut rng);
        if setup.automatic {
            setup.schema = Schema::from_json(
                &setup.schema.to_json().to_string().replace(r#"{"name":"id","auto":true}"#, r#""id""#),
            )
            .unwrap();
        }
        let mut index = setup.create();
        let mut writer = Some(setup.writer(&index));
        let mut current = Model::new();
        let mut committed = Model::new();
        const ROUNDS: usize = 5;
        for round in 0..ROUNDS {
            let ends = [End::Refresh, End::Commit, End::Rollback, End::Reopen];
            let end = if round + 1 == ROUNDS { End::Reopen } else { *rng.pick(&ends) };
            let held = writer.take().unwrap();
            let may_commit = matches!(end, End::Refresh | End::Commit);
            if !may_commit {
                held.commit().unwrap();
                committed = current.clone();
            }
            let own = |thread: usize| {
                let prefix = format!("t{thread}-");
                let own = current.iter().filter(move |(key, _)| key.starts_with(&prefix));
                own.map(|(key, record)| (key.clone(), record.clone())).collect::<Model>()
            };
            let present = |number| i64::from(current.contains_key(&contested_key(number)));
            let shared = Shared {
                setup: &setup,
                index: &index,
                writer: &held,
                ranges: (0..THREADS)
                    .map(|thread| OwnRange { base: own(thread), ..Default::default() })
                    .collect(),
                balance: (0..CONTESTED).map(|number| AtomicI64::new(present(number))).collect(),
                may_commit,
            };
            std::thread::scope(|scope| {
                for thread in 0..THREADS {
                    let tag = ((round * THREADS + thread) * 1_000_000) as i64;
                    let seed = rng.next();
                    let mut worker = Worker {
                        shared: &shared,
                        thread,
                        rng: Rng::new(seed),
                        tag,
                        own: shared.ranges[thread].base.keys().cloned().collect(),
                    };
                    scope.spawn(move || (0..operations / ROUNDS).for_each(|_| worker.step()));
                }
            });
            held.refresh().unwrap();
            let searcher = index.searcher().unwrap();
            let found = shared.read_all(&searcher);
            let mut expected: Model = shared.ranges.iter().flat_map(OwnRange::after).collect();
            let contested = |key: &String| key.starts_with('s');
            expected
                .extend(found.iter().filter(|(key, _)| contested(key)).map(|(k, r)| (k.clone(), r.clone())));
            assert_eq!(found, expected);
            shared.verify(&searcher, &found, &mut rng);
            for number in (0..CONTESTED).step_by(2) {
                let live = i64::from(found.contains_key(&contested_key(number)));
                assert_eq!(
                    shared.balance[number].load(Ordering::SeqCst),
                    live,
                    "adds less deletes of s{number}"
                );
            }
            current = found;
            drop(shared);
            match end {
                End::Refresh => {}
                End::Commit => {
                    held.commit().unwrap();
                    committed = current.clone();
                }
                End::Rollback => {
                    held.rollback().unwrap();
                    current = committed.clone();
                }
                End::Reopen => current = committed.clone(),
            }
            if end == End::Reopen {
                drop(held);
                index = setup.open();
                writer = Some(setup.writer(&index));
            } else {
                writer = Some(held);
            }
            let known = Shared::keys().collect();
            setup.verify(&index.searcher().unwrap(), &current, &known, &mut rng);
        }
        drop(writer);
        drop(index);
        setup.verify_files(&committed);
    });
}
