//! How the ledger of a process stood against the kernel, in the model's words.

use crate::Analysis;
use crate::accounts::run::Sight;
use crate::model::summary::{LedgerCheck, RangeDifference, Verification};
use crate::words::mapping_words;

impl Analysis {
    /// All along, and in the end.
    pub(super) fn checked(&self, sight: &Sight) -> LedgerCheck {
        let checks = &sight.checks;
        let verifications = checks.comparisons.iter().map(|comparison| Verification {
            t_ns: self.relative(comparison.time).0,
            mappings: comparison.mappings,
            in_motion_bytes: comparison.in_motion_bytes,
            differing: comparison.differing,
            difference_bytes: comparison.difference_bytes,
        });
        let differences = checks.found.iter().map(|found| {
            let range = found.range;
            RangeDifference {
                t_ns: self.relative(found.time).0,
                start: range.start.0,
                length: range.end.0 - range.start.0,
                ledger: range.ledger.map(mapping_words::protection),
                kernel: range.kernel.map(mapping_words::protection),
                name: found.name.clone(),
                cause: match (range.ledger, range.kernel) {
                    (None, _) => "mapped, and by no traced call",
                    (_, None) => "unmapped, and by no traced call",
                    _ => "protected anew, and by no traced call",
                }
                .to_owned(),
            }
        });
        let (mapped, kernel) = (sight.mapped_bytes, sight.kernel_bytes);
        let known = kernel.map(|kernel| difference(kernel, mapped));
        let compared = known.or(checks.difference());
        let difference_bytes = compared.unwrap_or(0);
        LedgerCheck {
            bytes: mapped,
            kernel_bytes: kernel.unwrap_or(0),
            difference_bytes,
            kernel_known: kernel.is_some(),
            compared: compared.is_some(),
            in_doubt: sight.is_in_doubt,
            checks: checks.totals,
            checks_differing: checks.totals_differing,
            verifications_count: checks.readings,
            verifications_differing: checks.readings_differing,
            largest_difference_bytes: checks.largest_bytes.max(difference_bytes.unsigned_abs()),
            verifications: verifications.collect(),
            differences: differences.collect(),
        }
    }
}

/// Kernel − ledger; saturates only where the figures are no sizes any more.
fn difference(kernel: u64, ledger: u64) -> i64 {
    i64::try_from(i128::from(kernel) - i128::from(ledger)).unwrap_or(i64::MAX)
}
