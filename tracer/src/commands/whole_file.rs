//! A file that is whole or not there.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

/// Begun beside its place, so that a name that cannot be written fails at once, and put there only when
/// whole.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    begun: tempfile::NamedTempFile,
}

impl WholeFile {
    /// Begins one.
    ///
    /// # Errors
    /// There can be no file.
    pub fn begin(path: &Path) -> Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let begun = tempfile::Builder::new()
            .prefix(".tracer-report-")
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self {
            path: path.to_owned(),
            begun,
        })
    }

    /// Writes it and puts it in its place.
    ///
    /// # Errors
    /// It could not be written; nothing is left of it then.
    pub fn write(
        self,
        write: impl FnOnce(&mut BufWriter<tempfile::NamedTempFile>) -> io::Result<()>,
    ) -> Result<()> {
        let failed = || format!("cannot write {}", self.path.display());
        let mut out = BufWriter::new(self.begun);
        write(&mut out).with_context(failed)?;
        out.flush().with_context(failed)?;
        let begun = out.into_inner().map_err(io::IntoInnerError::into_error);
        let begun = begun.with_context(failed)?;
        // NamedTempFile is readable by its owner only; a report is an ordinary file.
        fs::set_permissions(begun.path(), ordinary()).with_context(failed)?;
        begun.persist(&self.path).with_context(failed)?;
        Ok(())
    }
}

fn ordinary() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}
