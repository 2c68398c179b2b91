//! `eval`.

use crate::support::{Place, Ran, data, documents, le, npy, run};
use serde_json::Value;

fn lines(ran: &Ran) -> Vec<Value> {
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_setting_has_its_line_with_the_promised_keys() {
    let place = Place::sample(2_400, "--flush-docs 1200");
    let eval = "eval @ --field embedding --row-field row --candidates 10,100 --rescore 2 --limit 40";
    let with_files = |line: &str| {
        let mut command = place.command(line);
        command.arg("--queries").arg(data("queries.f16.npy"));
        // The truth has 100 queries, --limit takes the first ones.
        command.arg("--truth").arg(data("truth.cosine.ibin"));
        run(&mut command)
    };
    let found = lines(&with_files(&format!("{eval} --json --threads 2")).expect(0));
    assert_eq!(found.len(), 2);
    for (line, candidates) in found.iter().zip([10, 100]) {
        assert_eq!(line["candidates"], candidates);
        assert!(line["recall"].as_f64() > Some(0.9), "{line}");
        for key in ["qps", "mean_us", "p50_us", "p99_us", "visited"] {
            assert!(line[key].as_f64() > Some(0.0), "{key}: {line}");
        }
    }
    let text = with_files(&eval.replace("10,100", "50")).expect(0).out;
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(
        text.lines().all(|line| line.chars().count() == text.lines().next().unwrap().chars().count()),
        "{text}"
    );
    assert!(!text.contains('{'));
}

#[test]
fn without_a_truth_it_is_computed_exactly() {
    let place = Place::sample(600, "");
    for more in ["", "--exact"] {
        let mut command = place.command(&format!("eval @ --field embedding --json --limit 20 {more}"));
        let found = lines(&run(command.arg("--queries").arg(data("queries.f16.npy"))).expect(0));
        assert_eq!(found.len(), 1);
        assert_eq!((&found[0]["asked"], &found[0]["queries"]), (&0.95.into(), &20.into()));
        assert!(found[0]["recall"].as_f64() > Some(0.95), "{}", found[0]);
    }
}

#[test]
fn a_plot_is_a_picture_of_what_was_measured() {
    let place = Place::sample(1_500, "");
    let eval = |more: &str| {
        let mut command =
            place.command(&format!("eval @ --field embedding --limit 20 --plot curve.svg {more}"));
        run(command.arg("--queries").arg(data("queries.f16.npy"))).expect(0)
    };
    let read = || std::fs::read_to_string(place.path("curve.svg")).unwrap();
    let found = eval("--candidates 10,40");
    assert!(found.out.ends_with("Wrote curve.svg.\n"), "{}", found.out);
    let svg = read();
    for part in [
        "<svg xmlns",
        "recall@10",
        "distances computed per query",
        "queries per second, one thread",
        ">40</text>",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    assert_eq!(svg.matches("<circle").count(), 4);
    // Without settings a curve is measured.
    let found = lines(&eval("--json"));
    let asked: Vec<f64> = found.iter().map(|line| line["asked"].as_f64().unwrap()).collect();
    assert_eq!(asked, [0.8, 0.9, 0.95, 0.98, 0.99]);
    assert!(read().contains(">asked 0.98</text>"));
}

/// Twenty documents on a line with row numbers as keys, one query, and a truth of our own.
fn on_a_line(truth: &[u32]) -> Place {
    let place = Place::small();
    place.import(&documents(20).replace("\"d", "\""), "").expect(0);
    place.write("q.npy", npy("<f4", 1, 2, &le(&[3.1, 0.0])));
    let ids = [1, truth.len() as u32].into_iter().chain(truth.iter().copied()).flat_map(u32::to_le_bytes);
    place.write("t.ibin", ids.collect::<Vec<u8>>());
    place
}

#[test]
fn recall_is_the_share_of_the_true_k_that_was_found() {
    for (truth, recall) in [([3, 4, 2, 5], 1.0), ([3, 4, 17, 5], 0.75), ([17, 18, 19, 20], 0.0)] {
        let place = on_a_line(&truth);
        for by in ["", "--row-field size"] {
            let line = format!("eval @ --field e --queries q.npy --truth t.ibin -k 4 --json {by}");
            assert_eq!(lines(&place.run(&line).expect(0))[0]["recall"], recall);
        }
    }
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let place = on_a_line(&[3, 4]);
    for (more, expected) in [
        ("--truth t.ibin -k 3", "2 neighbors per query, -k 3 needs 3"),
        ("--truth t.ibin -k 2 --row-field name", "is \"3\""),
        ("--truth t.ibin -k 2 --row-field nothing", "no field \"nothing\""),
        ("--truth t.ibin --exact", "cannot be used with"),
        ("--truth q.npy", "announced"),
        ("--candidates 0", "candidates is 0"),
        ("--recall 0", "recall is 0"),
        ("--recall 0.9 --candidates 5", "cannot be used with"),
        ("--rescore 0.5", "rescore is 0.5"),
    ] {
        let ran = place.run(&format!("eval @ --field e --queries q.npy {more}")).expect(2);
        assert!(ran.err.contains(expected), "{more}: {ran:?}");
    }
    place.write("two.npy", npy("<f4", 2, 2, &le(&[1.0, 0.0, 2.0, 0.0])));
    let ran = place.run("eval @ --field e --queries two.npy --truth t.ibin -k 2").expect(2);
    assert!(ran.err.contains("truth of 1 queries") && ran.err.contains("--limit"), "{ran:?}");
    place.run("eval @ --field e --queries two.npy --truth t.ibin -k 2 --limit 1").expect(0);
}

#[test]
fn equally_near_hits_count_as_found() {
    let eval = |place: &Place, more: &str| {
        let line = format!("eval @ --field e --queries q.npy --json {more}");
        let line = &lines(&place.run(&line).expect(0))[0];
        (line["recall"].as_f64().unwrap(), line["recall_by_id"].as_f64().unwrap())
    };
    // All equal: every ten are the ten nearest.
    let place = Place::small();
    let same: String = (0..5_000).map(|i| format!("{{\"name\":\"{i}\",\"e\":[3,1]}}\n")).collect();
    place.import(&same, "").expect(0);
    place.write("q.npy", npy("<f4", 2, 2, &le(&[3.0, 1.0, 0.5, 7.0])));
    assert_eq!(eval(&place, "").0, 1.0);
    assert_eq!(eval(&place, "--rescore 2 -k 3").0, 1.0);
    assert_eq!(eval(&place, "--rescore 0"), eval(&place, ""));
    // Other ten of the equal ones in the truth.
    let truth = |rows: std::ops::Range<u32>| {
        let ids =
            [2, rows.len() as u32].into_iter().chain(rows.clone()).chain(rows).flat_map(u32::to_le_bytes);
        place.write("t.ibin", ids.collect::<Vec<u8>>());
    };
    truth(4_000..4_010);
    let found = eval(&place, "--truth t.ibin");
    assert_eq!(found.0, 1.0, "{found:?}");

    // Ties at the end only: d4 and d2 are equally far from 3; what is nearer must be found itself.
    let place = on_a_line(&[3, 4]);
    place.write("q.npy", npy("<f4", 1, 2, &le(&[3.0, 0.0])));
    assert_eq!(eval(&place, "--truth t.ibin -k 2").0, 1.0);
    let place = on_a_line(&[4, 5]);
    place.write("q.npy", npy("<f4", 1, 2, &le(&[3.0, 0.0])));
    let found = eval(&place, "--truth t.ibin -k 2");
    assert!(found.0 < 1.0, "a truth that lacks the nearest is not the truth: {found:?}");
}

#[test]
fn the_recall_asked_for_stands_beside_the_recall_reached() {
    let place = Place::sample(2_400, "--flush-docs 1200");
    let eval = |place: &Place, more: &str| {
        let mut command = place.command(&format!("eval @ --field embedding --limit 40 {more}"));
        run(command.arg("--queries").arg(data("queries.f16.npy"))).expect(0)
    };
    let found = lines(&eval(&place, "--recall 0.8,0.95,1 --json"));
    for (line, asked) in found.iter().zip([0.8, 0.95, 1.0]) {
        assert_eq!(line["asked"], asked);
        assert!(
            line["recall"].as_f64() >= Some(asked - 0.03) && line["visited"].as_f64() > Some(0.0),
            "{line}"
        );
    }
    assert_eq!(found.len(), 3);
    let text = eval(&place, "--recall 0.9").out;
    assert!(text.contains("asked") && text.contains("recall@10"), "{text}");

    // What calibrate finds is kept, shown, and forgotten again.
    let queries = data("queries.f16.npy");
    let calibrate = |more: &str| {
        let mut command = place.command(&format!("calibrate @ --field embedding {more}"));
        if !more.contains("--reset") {
            command.arg("--queries").arg(&queries);
        }
        run(&mut command)
    };
    let kept: Value = serde_json::from_str(&calibrate("--json").expect(0).out).unwrap();
    let points = kept["calibration"]["points"].as_array().unwrap();
    assert!(points.iter().all(|point| point["reached"].as_f64() >= point["recall"].as_f64()), "{kept}");
    assert!(place.run("inspect @").expect(0).out.contains("calibrated"));
    assert!(calibrate("").expect(0).out.contains("Calibrated with"));
    calibrate("--reset").expect(0);
    assert!(!place.run("inspect @").expect(0).out.contains("calibrated"));
    assert!(place.run("calibrate @ --field embedding").expect(2).err.contains("--queries"));
}
