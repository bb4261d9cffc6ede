//! What the scripted agent does with git, without a git program: commit all, start a merge, read its branch.

use git2::{IndexAddOption, Repository, Signature};

/// Commits all that changed in the worktree at `.`; with nothing changed, says so.
pub(super) fn commit(message: &str) -> Result<String, git2::Error> {
    let repo = Repository::discover(".")?;
    let mut index = repo.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = index.write_tree()?;
    let head = repo.head()?.peel_to_commit()?;
    let merging = repo.find_reference("MERGE_HEAD").and_then(|reference| reference.peel_to_commit()).ok();
    if tree == head.tree_id() && merging.is_none() {
        return Ok("nothing to commit".to_owned());
    }
    let parents: Vec<_> = std::iter::once(&head).chain(&merging).collect();
    let who = Signature::now("Scripted Agent", "agent@nopeek.invalid")?;
    let id = repo.commit(Some("HEAD"), &who, &who, message, &repo.find_tree(tree)?, &parents)?;
    repo.cleanup_state()?;
    Ok(format!("[{} {}] {message}", branch().unwrap_or_default(), &id.to_string()[..9]))
}

/// Starts a merge of `branch`, and says which files are in conflict.
pub(super) fn merge(branch: &str) -> Result<Vec<String>, git2::Error> {
    let repo = Repository::discover(".")?;
    let other = repo.find_annotated_commit(repo.revparse_single(branch)?.peel_to_commit()?.id())?;
    if repo.merge_analysis(&[&other])?.0.is_up_to_date() {
        return Ok(Vec::new());
    }
    repo.merge(&[&other], None, None)?;
    let index = repo.index()?;
    let mut files = Vec::new();
    for conflict in index.conflicts()? {
        let conflict = conflict?;
        let side = conflict.our.or(conflict.their).or(conflict.ancestor);
        files.extend(side.map(|side| String::from_utf8_lossy(&side.path).into_owned()));
    }
    Ok(files)
}

/// The branch that is checked out.
pub(super) fn branch() -> Option<String> {
    let repo = Repository::discover(".").ok()?;
    let head = repo.head().ok()?;
    head.shorthand().ok().map(str::to_owned)
}
