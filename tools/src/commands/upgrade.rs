//! `upgrade`: rewrites segments of older releases.

use super::force_merge::Rewrite;
use crate::args::Upgrade;
use crate::failure::Outcome;
use lucerne::admin;

pub(super) fn run(args: &Upgrade, json: bool) -> Outcome {
    let rewrite = Rewrite {
        how: &args.how,
        plan: &admin::plan_upgrade,
        merge: &|writer, stop| writer.upgrade(stop),
        nothing: "nothing to upgrade",
        plot: None,
    };
    rewrite.run(&args.dir, json)
}
