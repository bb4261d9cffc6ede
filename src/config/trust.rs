//! Trust: which repo's `nopeek.toml` may run commands, once, by its hash, by its user.

use crate::os::paths::Paths;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::Path;

/// What is known of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Its user has trusted exactly this text.
    Trusted,
    /// Its user has trusted another text of this repo.
    Changed,
    /// Nothing of this repo was ever trusted.
    Unknown,
}

/// Looks a repo's text up. A file that can't be read trusts nothing.
#[must_use]
pub fn check(paths: &Paths, repo: &Path, text: &str) -> Trust {
    match read(paths).unwrap_or_default().get(&key(repo)) {
        // Files of before hold earlier texts too.
        Some(hashes) if hashes.last() == Some(&hash(text)) => Trust::Trusted,
        Some(_) => Trust::Changed,
        None => Trust::Unknown,
    }
}

/// Trusts a repo's text from now on, and no earlier one: whoever puts an old text back takes away what came since.
pub fn grant(paths: &Paths, repo: &Path, text: &str) -> io::Result<()> {
    let mut all = read(paths)?;
    all.insert(key(repo), vec![hash(text)]);
    let mut new = tempfile_beside(paths)?;
    new.1.write_all(&serde_json::to_vec_pretty(&all)?)?;
    new.1.sync_all()?;
    std::fs::rename(new.0, paths.trust())
}

fn tempfile_beside(paths: &Paths) -> io::Result<(std::path::PathBuf, std::fs::File)> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let path = paths.trust().with_extension(format!("{}.new", std::process::id()));
    let file = std::fs::File::options().create(true).write(true).truncate(true).mode(0o600).open(&path)?;
    Ok((path, file))
}

fn read(paths: &Paths) -> io::Result<BTreeMap<String, Vec<String>>> {
    match std::fs::read(paths.trust()) {
        Ok(text) => serde_json::from_slice(&text).map_err(Into::into),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

fn key(repo: &Path) -> String {
    repo.to_string_lossy().into_owned()
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_what_was_read_is_trusted() {
        let home = tempfile::tempdir().unwrap();
        let paths = Paths::below(home.path()).unwrap();
        let repo = Path::new("/repo");
        assert_eq!(check(&paths, repo, "a"), Trust::Unknown);
        grant(&paths, repo, "a").unwrap();
        assert_eq!(check(&paths, repo, "a"), Trust::Trusted);
        assert_eq!(check(&paths, repo, "b"), Trust::Changed);
        grant(&paths, repo, "b").unwrap();
        assert_eq!((check(&paths, repo, "b"), check(&paths, repo, "a")), (Trust::Trusted, Trust::Changed));
        grant(&paths, repo, "a").unwrap();
        assert_eq!(check(&paths, Path::new("/other"), "a"), Trust::Unknown);
    }
}
