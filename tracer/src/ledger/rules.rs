//! What the host's kernel and the trace's settings make a difference to.

use crate::event::Started;

/// The first kernel that takes a charge back: `mprotect_fixup` in `mm/mprotect.c` ("mm/mprotect: allow
/// unfaulted VMAs to be unaccounted on mprotect()").
const TAKES_BACK_SINCE: (u32, u32) = (6, 7);

/// How one host's kernel differs from others, and what the trace can see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Private memory that was never written to is charged no longer once it ceases to be writable.
    pub takes_back_charges: bool,
    /// Each page fault is an event: what no fault and no call has written to was not written to.
    pub sees_faults: bool,
}

impl Default for Rules {
    /// A present kernel, all of its faults seen.
    fn default() -> Self {
        Self {
            takes_back_charges: true,
            sees_faults: true,
        }
    }
}

impl Rules {
    /// By the trace's header. A release that does not begin with two numbers is taken for a present
    /// one.
    #[must_use]
    pub fn of(started: &Started) -> Self {
        Self {
            takes_back_charges: version(&started.kernel)
                .is_none_or(|version| version >= TAKES_BACK_SINCE),
            sees_faults: started.faults == "each",
        }
    }
}

/// The first two numbers of a kernel's release.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_tells_whether_charges_are_taken_back() {
        for (kernel, takes_back_charges) in [
            ("6.18.44-fc", true),
            ("6.7-rc1", true),
            ("6.6.9", false),
            ("6.1.0-51-cloud-amd64", false),
            ("10.0", true),
            ("", true),
        ] {
            let started = Started {
                kernel: kernel.into(),
                faults: "each".into(),
                ..Started::default()
            };
            let expected = Rules {
                takes_back_charges,
                sees_faults: true,
            };
            assert_eq!(Rules::of(&started), expected, "{kernel}");
        }
        assert!(!Rules::of(&Started::default()).sees_faults);
    }
}
