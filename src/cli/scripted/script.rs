//! The language of the scripted agent: a step a line, read whole before anything is done.
//!
//! ```text
//! # A comment.
//! say I'll add the function and a test.
//! think 2                      spins for two seconds
//! edit lib/a.sh <<END          writes a file; `append` adds to one
//! ...
//! END
//! replace FILE <<END           its text up to a line `=====` becomes the text after it
//! run sh tests/run.sh          by `sh -c`, its output is shown
//! commit Add the function      commits all that changed (a merge under way too)
//! merge main                   starts a merge, conflicts and all
//! ask question Which unit?     reports `blocked`, waits; `@ANSWER@` in later texts is what was typed
//! tool ask_human <<END         calls a tool of `nopeek mcp` with this JSON; its text is `@ANSWER@` then
//! {"question": "Which unit?"}
//! END
//! when attempt 1               or: when attempt 2+, when prompt TEXT, when answer TEXT, when sh COMMAND;
//!                              else; end
//! print RAW\x1b[1m             as it stands, with \n \r \t \e \\ read
//! status working               idle, working, done, error: reports it
//! usage 12000 340 0.05         what it has used so far: tokens read, written, dollars if it is to tell them
//! loop 0.5 Thinking again      for ever, a line each time
//! hang                         silent for ever
//! stay                         reads keys for ever, as an interactive agent at its prompt
//! spawn COMMAND                a child that leaves the session
//! flood 1000000                that many bytes as fast as they go
//! speed 100                    from here on everything takes a hundredth
//! exit 3 / crash
//! ```

use std::fmt;

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    Say(String),
    Print(String),
    Think(f64),
    Edit { file: String, text: String },
    Append { file: String, text: String },
    Replace { file: String, old: String, new: String },
    Run(String),
    Commit(String),
    Merge(String),
    Ask { kind: String, text: String },
    Tool { name: String, arguments: String },
    Status(String),
    Usage { read: u64, written: u64, dollars: Option<String> },
    Loop { every: f64, text: String },
    Hang,
    Stay,
    Spawn(String),
    Flood(u64),
    Speed(f64),
    Exit(i32),
    Crash,
    When { condition: Condition, then: Vec<Step>, otherwise: Vec<Step> },
}

/// What a `when` looks at.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// The attempt's number, or that and all later ones.
    Attempt { no: u32, later: bool },
    /// The prompt holds this, in whatever case.
    Prompt(String),
    /// The last answer holds this, in whatever case.
    Answer(String),
    /// This succeeds by `sh -c`.
    Sh(String),
}

/// A script that can't be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadScript {
    line: usize,
    what: String,
}

impl fmt::Display for BadScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "script line {}: {}", self.line, self.what)
    }
}

/// Reads a whole script.
pub(super) fn parse(text: &str) -> Result<Vec<Step>, BadScript> {
    let mut reader = Reader { lines: text.lines().collect(), at: 0 };
    let (steps, stop) = reader.block()?;
    match stop {
        None => Ok(steps),
        Some(word) => Err(reader.bad(format!("`{word}` without a `when`"))),
    }
}

struct Reader<'a> {
    lines: Vec<&'a str>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn bad(&self, what: impl Into<String>) -> BadScript {
        BadScript { line: self.at, what: what.into() }
    }

    /// Steps up to the end, or to an `else` or `end`, which is given back.
    fn block(&mut self) -> Result<(Vec<Step>, Option<&'a str>), BadScript> {
        let mut steps = Vec::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (word, rest) = line.split_once(' ').map_or((line, ""), |(word, rest)| (word, rest.trim()));
            match word {
                "else" | "end" => return Ok((steps, Some(word))),
                "when" => steps.push(self.when(rest)?),
                _ => steps.push(self.step(word, rest)?),
            }
        }
        Ok((steps, None))
    }

    fn when(&mut self, rest: &str) -> Result<Step, BadScript> {
        let condition = match rest.split_once(' ') {
            Some(("attempt", no)) => {
                let (digits, later) = no.strip_suffix('+').map_or((no, false), |no| (no, true));
                let no = digits.parse().map_err(|_| self.bad(format!("{no:?} is no attempt number")))?;
                Condition::Attempt { no, later }
            }
            Some(("prompt", text)) => Condition::Prompt(text.to_lowercase()),
            Some(("answer", text)) => Condition::Answer(text.to_lowercase()),
            Some(("sh", command)) => Condition::Sh(command.to_owned()),
            _ => {
                let known =
                    "use `when attempt N`, `when prompt TEXT`, `when answer TEXT` or `when sh COMMAND`";
                return Err(self.bad(known));
            }
        };
        let (then, stop) = self.block()?;
        let otherwise = match stop {
            Some("else") => match self.block()? {
                (steps, Some("end")) => steps,
                _ => return Err(self.bad("an `else` without its `end`")),
            },
            Some(_) => Vec::new(),
            None => return Err(self.bad("a `when` without its `end`")),
        };
        Ok(Step::When { condition, then, otherwise })
    }

    fn step(&mut self, word: &str, rest: &str) -> Result<Step, BadScript> {
        let text = rest.to_owned();
        Ok(match word {
            "say" => Step::Say(text),
            "print" => Step::Print(unescape(rest)),
            "think" => Step::Think(self.number(rest)?),
            "edit" => {
                let (file, text) = self.heredoc(rest)?;
                Step::Edit { file, text }
            }
            "append" => {
                let (file, text) = self.heredoc(rest)?;
                Step::Append { file, text }
            }
            "replace" => {
                let (file, text) = self.heredoc(rest)?;
                let (old, new) =
                    text.split_once("=====\n").ok_or_else(|| self.bad("`replace` needs a line `=====`"))?;
                Step::Replace { file, old: old.to_owned(), new: new.to_owned() }
            }
            "run" => Step::Run(text),
            "commit" => Step::Commit(text),
            "merge" => Step::Merge(text),
            "ask" => {
                let (kind, text) = rest.split_once(' ').unwrap_or((rest, ""));
                if !matches!(kind, "question" | "permission" | "auth") {
                    return Err(self.bad("use `ask question|permission|auth TEXT`"));
                }
                Step::Ask { kind: kind.to_owned(), text: text.to_owned() }
            }
            "tool" => {
                let (name, arguments) = self.heredoc(rest)?;
                Step::Tool { name, arguments }
            }
            "status" => Step::Status(text),
            "usage" => self.usage(rest)?,
            "loop" => {
                let (every, text) = rest.split_once(' ').unwrap_or((rest, ""));
                Step::Loop { every: self.number(every)?, text: text.to_owned() }
            }
            "hang" => Step::Hang,
            "stay" => Step::Stay,
            "spawn" => Step::Spawn(text),
            "flood" => Step::Flood(rest.parse().map_err(|_| self.bad(format!("{rest:?} is no number")))?),
            "speed" => Step::Speed(self.number(rest)?),
            "exit" => Step::Exit(rest.parse().map_err(|_| self.bad(format!("{rest:?} is no exit code")))?),
            "crash" => Step::Crash,
            _ => return Err(self.bad(format!("no step is called {word:?}"))),
        })
    }

    fn usage(&self, rest: &str) -> Result<Step, BadScript> {
        let mut words = rest.split_whitespace();
        let mut count = || words.next().and_then(|word| word.parse().ok());
        let (Some(read), Some(written)) = (count(), count()) else {
            return Err(self.bad("use `usage IN OUT` or `usage IN OUT DOLLARS`"));
        };
        let dollars = words.next();
        if let Some(dollars) = dollars {
            self.number(dollars)?;
        }
        Ok(Step::Usage { read, written, dollars: dollars.map(str::to_owned) })
    }

    fn number(&self, text: &str) -> Result<f64, BadScript> {
        match text.parse::<f64>() {
            Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
            _ => Err(self.bad(format!("{text:?} is no number"))),
        }
    }

    /// `FILE <<WORD`, and the lines up to one that is WORD alone.
    fn heredoc(&mut self, rest: &str) -> Result<(String, String), BadScript> {
        let Some((file, word)) = rest.split_once("<<") else {
            return Err(self.bad("a text is missing: `FILE <<END`"));
        };
        let (file, word) = (file.trim(), word.trim());
        let mut text = String::new();
        while let Some(line) = self.lines.get(self.at) {
            self.at += 1;
            if line.trim() == word {
                return Ok((file.to_owned(), text));
            }
            text.push_str(line);
            text.push('\n');
        }
        Err(self.bad(format!("the text of {file} has no line {word:?} at its end")))
    }
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('e') => out.push('\x1b'),
            Some('a') => out.push('\x07'),
            Some('x') => {
                let hex: String = chars.by_ref().take(2).collect();
                out.extend(u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32));
            }
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_texts_and_conditions_are_read() {
        let steps = parse(
            "# c\nsay hi there\nedit a/b.txt <<E\none\n  two\nE\nwhen attempt 2+\n  exit 3\nelse\n  crash\nend\n\
             replace f <<E\nold\n=====\nnew\nE\nprint a\\e[1m\\x41\ntool list_tasks <<E\n{}\nE\n\
             usage 12 3\nusage 12 3 0.05\n",
        )
        .unwrap();
        assert_eq!(
            steps,
            [
                Step::Say("hi there".into()),
                Step::Edit { file: "a/b.txt".into(), text: "one\n  two\n".into() },
                Step::When {
                    condition: Condition::Attempt { no: 2, later: true },
                    then: vec![Step::Exit(3)],
                    otherwise: vec![Step::Crash],
                },
                Step::Replace { file: "f".into(), old: "old\n".into(), new: "new\n".into() },
                Step::Print("a\x1b[1mA".into()),
                Step::Tool { name: "list_tasks".into(), arguments: "{}\n".into() },
                Step::Usage { read: 12, written: 3, dollars: None },
                Step::Usage { read: 12, written: 3, dollars: Some("0.05".into()) },
            ]
        );
    }

    #[test]
    fn mistakes_name_their_line() {
        for (text, line) in [
            ("dance", 1),
            ("say x\nwhen attempt x\nend", 2),
            ("end", 1),
            ("edit f <<E\nx", 2),
            ("when prompt x\n", 1),
            ("usage 12", 1),
            ("usage 12 3 much", 1),
        ] {
            assert_eq!(parse(text).unwrap_err().line, line, "{text}");
        }
    }
}
