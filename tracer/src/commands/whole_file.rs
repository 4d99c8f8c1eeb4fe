//! A file that is whole or not there.

use std::{
    fs,
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use crate::capture::privileges;

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
            .permissions(ordinary())
            .tempfile_in(folder.unwrap_or(Path::new(".")))
            .map_err(without_path)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if let Some(owner) = privileges::asked_by() {
            owner
                .give(begun.as_file())
                .with_context(|| format!("cannot give {} to who asked", path.display()))?;
        }
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
        begun
            .persist(&self.path)
            .map_err(|error| error.error)
            .with_context(failed)?;
        Ok(())
    }
}

/// As of any file; the umask takes from it.
fn ordinary() -> fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}

/// The path that it says is not the user's, but the one beside.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}
