//! Why what is resident is what it is, where that matters, in words.

use crate::model::summary::Process;
use crate::words::units::bytes;

/// A part smaller than this is not worth a line, bytes.
const WORTH_A_LINE: u64 = 16 << 20;

/// Of the resident memory of a process: what can be taken back, what is shared or counted more than once, what stands
/// around few bytes, what it leaves out; a line each, none where nothing of that is a quarter of it.
#[must_use]
pub fn why_resident(process: &Process) -> Vec<String> {
    let of = &process.residency;
    let resident = process.resident_bytes.end;
    let is_much = |part: &u64| *part >= WORTH_A_LINE && *part >= resident / 4;
    let much = |part: Option<u64>| part.filter(is_much).map(bytes);
    let mut lines = Vec::new();
    if let Some(cache) = much(of.page_cache_bytes) {
        lines.push(format!(
            "{cache} of it is page cache: the kernel can take it back"
        ));
    }
    if let Some(freed) = much(of.lazily_freed_bytes) {
        lines.push(format!(
            "{freed} of it was given back (MADV_FREE): taken when the kernel needs it"
        ));
    }
    if let Some(huge) = much(of.huge_page_bytes) {
        lines.push(format!(
            "{huge} of it is in huge pages: one byte in use keeps all of such a page resident"
        ));
    }
    if let Some(again) = much(of.mapped_again_bytes) {
        lines.push(format!(
            "{again} more by the kernel's figure, which counts what is mapped several times as often"
        ));
    }
    // By pages that others map too.
    let shares = of.private_bytes.zip(of.shared_bytes);
    let looked = shares.map(|(private, shared)| private + shared);
    if let Some((looked, proportional)) = looked.zip(of.proportional_bytes)
        && is_much(
            &looked
                .saturating_sub(of.mapped_again_bytes.unwrap_or(0))
                .saturating_sub(proportional),
        )
    {
        lines.push(format!(
            "it is {} if pages that others map too are divided among all who do (PSS)",
            bytes(proportional)
        ));
    }
    if let Some(copied) = much(of.copied_bytes) {
        lines.push(format!("{copied} of it was copied on write since a fork"));
    }
    if let Some(locked) = much(of.locked_bytes) {
        lines.push(format!(
            "{locked} is locked: it is never taken or swapped out"
        ));
    }
    if let Some(hugetlb) = of.hugetlb_bytes.filter(|part| *part > 0) {
        lines.push(format!(
            "not in it: {} out of the pool of huge pages, which cannot be taken back",
            bytes(hugetlb)
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::why_resident;
    use crate::model::summary::{Process, Residency, Span};

    const MIB: u64 = 1 << 20;

    fn words(resident: u64, residency: Residency) -> String {
        let process = Process {
            resident_bytes: Span {
                end: resident * MIB,
                ..Span::default()
            },
            residency,
            ..Process::default()
        };
        why_resident(&process).join("\n")
    }

    #[test]
    fn what_resident_memory_is_is_told_where_it_matters() {
        let all = |bytes: u64| Some(bytes * MIB);
        let cache = Residency {
            page_cache_bytes: all(90),
            ..Residency::default()
        };
        assert_eq!(
            words(100, cache),
            "90 MiB of it is page cache: the kernel can take it back"
        );
        assert_eq!(words(4000, cache), "", "a small part of it");
        let lazy = Residency {
            lazily_freed_bytes: all(300),
            huge_page_bytes: all(2),
            ..Residency::default()
        };
        assert!(words(301, lazy).starts_with("300 MiB of it was given back (MADV_FREE)"));
        let pool = Residency {
            hugetlb_bytes: all(32),
            ..Residency::default()
        };
        assert!(words(2, pool).starts_with("not in it: 32 MiB out of the pool"));
    }

    #[test]
    fn one_object_mapped_three_times_is_told_as_what_it_is() {
        let three = Residency {
            private_bytes: Some(MIB),
            shared_bytes: Some(600 * MIB),
            proportional_bytes: Some(201 * MIB),
            mapped_again_bytes: Some(400 * MIB),
            ..Residency::default()
        };
        let told = words(601, three);
        assert!(
            told.starts_with("400 MiB more by the kernel's figure"),
            "{told}"
        );
        assert!(!told.contains("PSS"), "{told}");
        let by_others = Residency {
            mapped_again_bytes: None,
            ..three
        };
        assert!(words(601, by_others).starts_with("it is 201 MiB if pages that others map"));
    }
}
