//! A storm of memory calls by racing threads and processes, and at each of its pauses the kernel's
//! maps against the ledger of the recording, range by range.
//!
//! `STORM_SEED` and `STORM_PAUSES` choose another storm. Races are not decided by the seed: a failure
//! keeps its recording, and is replayed from that, as its message says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::command::{chosen, example, folder, text, tracer};

/// Pauses of a storm. In that of everything, a move that fails halfway, and the like, leaves a doubt until
/// the maps have been read: each of its pauses is long enough for that on a machine with time to spare.
const PAUSES: u64 = 1000;

/// Storms at the same time would outrun the collector of each.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A storm that was traced.
struct Storm {
    seed: u64,
    folder: TempDir,
}

impl Storm {
    fn traced(pauses: u64, rests: u64, options: &[&str]) -> Self {
        let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = chosen("STORM_SEED", 1);
        let storm = Self {
            seed,
            folder: folder(),
        };
        // So large that a collector that is not optimised loses nothing.
        let ring = (pauses << 18)
            .next_power_of_two()
            .clamp(16 << 20, 256 << 20);
        let output = tracer()
            .args(["--quiet", "run", "--ring-size", &ring.to_string(), "-o"])
            .arg(storm.recording())
            .arg("--")
            .arg(example("storm"))
            .args(["--seed", &seed.to_string(), "--pauses", &pauses.to_string()])
            .args(["--rests", &rests.to_string()])
            .args(options)
            .arg("--snapshots")
            .arg(storm.snapshots())
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        storm
    }

    fn recording(&self) -> PathBuf {
        self.folder.path().join("storm.vmt")
    }

    fn snapshots(&self) -> PathBuf {
        self.folder.path().join("snapshots")
    }

    fn check(&self, snapshots: &Path) -> Output {
        std::process::Command::new(example("storm"))
            .arg("--check")
            .arg(self.recording())
            .arg(snapshots)
            .output()
            .unwrap()
    }

    /// Asserts that every snapshot was compared and none differed.
    #[track_caller]
    fn must_be_exact(self, pauses: u64) -> Value {
        let output = self.check(&self.snapshots());
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let found: Value = serde_json::from_str(&stdout).unwrap_or_default();
        if output.status.success() && found["pauses"] == pauses {
            return found;
        }
        let (seed, program) = (self.seed, example("storm"));
        let kept = self.folder.keep();
        panic!(
            "seed {seed}: {stdout}{stderr}replay it: {} --check {}/storm.vmt {}/snapshots",
            program.display(),
            kept.display(),
            kept.display(),
        );
    }
}

#[test]
fn at_every_pause_of_a_storm_the_ledger_is_what_the_kernel_says() {
    let pauses = chosen("STORM_PAUSES", PAUSES);
    let found = Storm::traced(pauses, pauses, &["--threads", "8"]).must_be_exact(pauses);
    assert!(
        found["sure"].as_u64().unwrap() >= pauses / 10,
        "the ledger is hardly ever sure: {found}"
    );
    // Children and the programs that they became were compared as well.
    assert!(
        found["processes"].as_u64().unwrap() > pauses / 10,
        "{found}"
    );
}

#[test]
fn calls_that_race_are_put_in_the_order_in_which_the_kernel_did_them() {
    let pauses = chosen("STORM_PAUSES", PAUSES);
    let options = ["--threads", "8", "--plain"];
    let found = Storm::traced(pauses, pauses, &options).must_be_exact(pauses);
    assert!(
        found["sure"].as_u64().unwrap() >= pauses * 99 / 100,
        "{found}"
    );
}

#[test]
fn without_a_race_each_call_does_to_the_ledger_what_the_kernel_did() {
    let options = ["--threads", "1", "--operations", "1", "--alone"];
    let pauses = chosen("STORM_PAUSES", 2 * PAUSES);
    let found = Storm::traced(pauses, 100, &options).must_be_exact(pauses);
    assert!(
        found["sure"].as_u64().unwrap() >= pauses / 10,
        "the ledger is hardly ever sure: {found}"
    );
}

#[test]
fn a_ledger_that_differs_from_a_snapshot_is_found_out() {
    let storm = Storm::traced(3, 3, &["--threads", "1", "--operations", "0", "--alone"]);
    let told = fs::read_to_string(storm.snapshots()).unwrap();
    let accessible = told.rfind(" rw-p ").unwrap();
    let mut changed = told.clone();
    changed.replace_range(accessible..accessible + 6, " r--p ");
    let path = storm.folder.path().join("changed");
    fs::write(&path, changed).unwrap();

    let output = storm.check(&path);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&found["compared"], &found["differing"]),
        (&3.into(), &1.into())
    );
    let stderr = text(&output.stderr);
    assert!(stderr.contains("pause-2: 1 ranges differ"), "{stderr}");
    assert!(stderr.contains("ledger rw-, kernel r--"), "{stderr}");
    storm.must_be_exact(3);
}
