//! Prompts for the scripted agent, and agents of a few lines of sh.

use super::world::World;

/// A prompt that holds its script, after a line that a board may show.
pub(crate) fn script(steps: &str) -> String {
    format!("A task of a test.\n\n```script\n{}\n```\n", steps.trim())
}

/// A prompt that names its script, so that the prompt does not hold what the script looks for in it.
pub(crate) fn script_file(world: &World, name: &str, steps: &str) -> String {
    let file = world.file(&format!("{name}.script"), steps);
    format!("A task of a test.\n\nscript: {}\n", file.to_str().unwrap())
}

/// A script that writes `text` to `file` and commits it.
pub(crate) fn edits(file: &str, text: &str) -> String {
    script(&format!("edit {file} <<END\n{text}\nEND\ncommit Write {file}"))
}

/// The `[agents.NAME]` table of an agent that runs `sh` on `text`, which lies outside the repo.
pub(crate) fn shell(world: &World, name: &str, mode: &str, text: &str) -> String {
    let file = world.file(&format!("{name}.sh"), text);
    format!("[agents.{name}]\ncommand = [\"sh\", {:?}]\nmode = {mode:?}\n", file.to_str().unwrap())
}
