//! A program of the user's, run to its end: given its input, ended with all it started when its time is up.
//!
//! Promises: no shell reads anything; what is not needed of its output is thrown away, so that it costs nothing.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};
use std::collections::VecDeque;
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What is kept of the end of its standard error.
const TAIL_MAX: usize = 4 * 1024;
/// What is read of its standard output, where that is wanted.
pub const ANSWER_MAX: u64 = 16 * 1024;
/// How long the end of its standard error is waited for: something it started may hold that open.
const TAIL_WAIT: Duration = Duration::from_secs(2);

/// Why a program did not do it.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// There is none of this name.
    #[error("there is no program {0}")]
    NotFound(String),
    /// It could not be started.
    #[error("{program} can't be started: {error}")]
    Start { program: String, error: io::Error },
    /// It took too long and was ended.
    #[error("{program} took longer than {} s and was ended", limit.as_secs())]
    Slow { program: String, limit: Duration },
    #[error("{program} {how}{}{last}", if last.is_empty() { "" } else { ": " })]
    Failed {
        program: String,
        /// Its exit code or the signal that ended it.
        how: String,
        /// The last line of its standard error; may be empty.
        last: String,
    },
}

/// Runs a program with its arguments and `input` on its standard input. Waits for it, at most `limit`.
pub fn run(program: &str, args: &[String], input: &[u8], limit: Duration) -> Result<(), ProgramError> {
    run_with(program, args, &[], input, limit)
}

/// The same with variables set beside our own environment.
pub fn run_with(
    program: &str,
    args: &[String],
    env: &[(String, String)],
    input: &[u8],
    limit: Duration,
) -> Result<(), ProgramError> {
    start((program, args, env), input, Stdio::null(), limit)
}

/// Runs a program and gives what it says on standard output, at most [`ANSWER_MAX`] bytes of it.
pub fn answer(program: &str, args: &[String], limit: Duration) -> Result<String, ProgramError> {
    let failed = |error: io::Error| ProgramError::Start { program: program.to_owned(), error };
    let memory = memfd_create("answer", MemfdFlags::CLOEXEC).map_err(|error| failed(error.into()))?;
    let mut said = std::fs::File::from(memory);
    let out = said.try_clone().map_err(failed)?;
    start((program, args, &[]), &[], Stdio::from(out), limit)?;
    said.rewind().map_err(failed)?;
    let mut bytes = Vec::new();
    said.take(ANSWER_MAX).read_to_end(&mut bytes).map_err(failed)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A program, its arguments, its variables.
type What<'a> = (&'a str, &'a [String], &'a [(String, String)]);

fn start(what: What<'_>, input: &[u8], out: Stdio, limit: Duration) -> Result<(), ProgramError> {
    let (program, args, env) = what;
    let name = program.to_owned();
    let mut child = Command::new(program)
        .args(args)
        .envs(env.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => ProgramError::NotFound(name.clone()),
            _ => ProgramError::Start { program: name.clone(), error },
        })?;
    feed(&mut child, input.to_vec());
    let tail = tail(&mut child);
    let ended = wait(&mut child, limit);
    let status = match ended {
        Ok(Some(status)) => status,
        Ok(None) => return Err(ProgramError::Slow { program: name, limit }),
        Err(error) => return Err(ProgramError::Start { program: name, error }),
    };
    if status.success() {
        return Ok(());
    }
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with code {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended badly".to_owned(),
    };
    let tail = tail.recv_timeout(TAIL_WAIT).unwrap_or_default();
    let last = tail.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("").trim().to_owned();
    Err(ProgramError::Failed { program: name, how, last })
}

/// Its input, by a thread: it may read none of it.
fn feed(child: &mut Child, input: Vec<u8>) {
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || {
            // Whether it reads it is its own matter.
            let _ = stdin.write_all(&input);
        });
    }
}

/// The end of what it says on standard error, once that is closed.
fn tail(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let (mut kept, mut some) = (VecDeque::new(), [0; 1024]);
            while let Ok(n @ 1..) = stderr.read(&mut some) {
                kept.extend(&some[..n]);
                let over = kept.len().saturating_sub(TAIL_MAX);
                kept.drain(..over);
            }
            let _ = sender.send(String::from_utf8_lossy(kept.make_contiguous()).into_owned());
        });
    }
    receiver
}

/// How it ended; none if it was ended because its time was up.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or_else(|| io::Error::other("a process without a number"))?;
    let ended = pidfd_open(pid, PidfdFlags::empty())?;
    let timeout = Timespec::try_from(limit).map_err(io::Error::other)?;
    let mut looked = [PollFd::new(&ended, PollFlags::IN)];
    let in_time = loop {
        match poll(&mut looked, Some(&timeout)) {
            Ok(n) => break n > 0,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    };
    if !in_time {
        let _ = kill_process_group(pid, Signal::KILL);
    }
    let status = child.wait()?;
    Ok(in_time.then_some(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &[u8], limit: Duration) -> Result<(), ProgramError> {
        run("sh", &["-c".to_owned(), script.to_owned()], input, limit)
    }

    /// Only ends a hang.
    const LONG: Duration = Duration::from_secs(300);

    #[test]
    fn it_gets_its_input_and_says_how_it_ended() {
        sh("read a && test \"$a\" = hello", b"hello\n", LONG).unwrap();
        sh("exit 0", &vec![b'x'; 1 << 20], LONG).unwrap();
        let error = sh("yes no | head -c 9000 >&2; echo 'that is wrong' >&2; exit 3", b"", LONG).unwrap_err();
        assert_eq!(error.to_string(), "sh ended with code 3: that is wrong");
        let error = run("no-such-program-here", &[], b"", LONG).unwrap_err();
        assert_eq!(error.to_string(), "there is no program no-such-program-here");
    }

    #[test]
    fn what_takes_too_long_is_ended_with_what_it_started() {
        let error = sh("sleep 1000 & sleep 1000", b"", Duration::from_millis(50)).unwrap_err();
        assert!(matches!(error, ProgramError::Slow { .. }), "{error}");
    }

    #[test]
    fn what_it_leaves_behind_is_not_waited_for() {
        let error = sh("sleep 5 & exit 1", b"", LONG).unwrap_err();
        assert!(matches!(error, ProgramError::Failed { .. }), "{error}");
    }
}
