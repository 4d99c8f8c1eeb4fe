//! Versions of runtimes, as patterns ask for them: `>=22.2, <22.30`.

use semver::{Prerelease, Version, VersionReq};

/// Requirements, one of which is to hold; none at all always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Versions(pub Vec<VersionReq>);

impl Versions {
    /// Whether one holds for a runtime as it is told (`node v22.22.0`). For a version that is not of three numbers none
    /// does.
    #[must_use]
    pub fn hold(&self, runtime: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let word = runtime.rsplit(' ').next().unwrap_or_default();
        let Ok(version) = Version::parse(word.strip_prefix('v').unwrap_or(word)) else {
            return false;
        };
        // A nightly build is as the version that it leads to; a requirement would refuse all of them.
        let version = Version {
            pre: Prerelease::EMPTY,
            ..version
        };
        self.0
            .iter()
            .any(|requirement| requirement.matches(&version))
    }
}

/// Reads a requirement.
///
/// # Errors
/// What is wrong, without the place.
pub fn requirement(text: &str) -> Result<VersionReq, String> {
    VersionReq::parse(text)
        .map_err(|wrong| format!("`{text}` asks for no version ({wrong}): write >=22.2, <22.30"))
}

#[cfg(test)]
mod tests {
    use super::{Versions, requirement};

    #[test]
    fn a_version_is_compared_by_its_numbers_not_by_its_letters() {
        let versions = [">=20.15, <20.21", "24"].map(|text| requirement(text).unwrap());
        let versions = Versions(versions.to_vec());
        for (runtime, holds) in [
            ("node v20.15.0", true),
            ("node v20.14.9", false),
            ("node v20.2.0", false),
            ("node v20.20.3", true),
            ("node v20.21.0", false),
            ("node v24.0.0", true),
            ("node v24.0.0-nightly2025", true),
            ("node v25.0.0", false),
            ("node v24", false),
            ("node", false),
        ] {
            assert_eq!(versions.hold(runtime), holds, "{runtime}");
        }
        assert!(Versions::default().hold("node"));
        let wrong = requirement("v22 to v24").unwrap_err();
        assert!(wrong.contains("asks for no version"), "{wrong}");
    }
}
