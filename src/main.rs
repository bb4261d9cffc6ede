//! The program: calls the CLI, turns an error into words and an exit code.

fn main() {}
