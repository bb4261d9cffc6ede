//! Tests counted in a gate's output, where a known runner printed them.
//!
//! Works on plain text (escape sequences taken out). What two runners printed is added up; a number that no
//! runner printed is never guessed.

use crate::core::model::gate::TestCounts;

/// The tests that known runners counted in `output`; none if none is known.
#[must_use]
pub fn count(output: &str) -> Option<TestCounts> {
    if output.contains("<testsuite") {
        return Some(junit(output));
    }
    let mut total: Option<TestCounts> = None;
    let mut go = TestCounts::default();
    let mut is_go = false;
    for line in output.lines() {
        let line = line.trim();
        if let Some(verdict) = line.strip_prefix("--- ") {
            is_go = true;
            match verdict.split(':').next() {
                Some("PASS") => go.passed += 1,
                Some("FAIL") => go.failed += 1,
                Some("SKIP") => go.skipped += 1,
                _ => {}
            }
            continue;
        }
        let found = cargo(line).or_else(|| nextest(line)).or_else(|| go_json(line)).or_else(|| jest(line));
        if let Some(found) = found.or_else(|| pytest(line)) {
            total = Some(add(total.unwrap_or_default(), found));
        }
    }
    let has_go = is_go && go != TestCounts::default();
    if has_go { Some(add(total.unwrap_or_default(), go)) } else { total }
}

fn add(a: TestCounts, b: TestCounts) -> TestCounts {
    TestCounts {
        passed: a.passed.saturating_add(b.passed),
        failed: a.failed.saturating_add(b.failed),
        skipped: a.skipped.saturating_add(b.skipped),
    }
}

/// Reads `3 passed`, `1 failed`, … of pieces; none if no piece is a known count.
fn pieces<'a>(pieces: impl Iterator<Item = &'a str>) -> Option<TestCounts> {
    let mut counts = TestCounts::default();
    let mut any = false;
    for piece in pieces {
        let mut words = piece.split_whitespace();
        let (Some(number), Some(word)) = (words.next(), words.next()) else { continue };
        let Ok(number) = number.parse::<u32>() else { continue };
        let place = match word {
            "passed" | "xpassed" => &mut counts.passed,
            "failed" | "error" | "errors" | "timed" => &mut counts.failed,
            "skipped" | "ignored" | "xfailed" | "todo" | "pending" => &mut counts.skipped,
            _ => continue,
        };
        *place = place.saturating_add(number);
        any = true;
    }
    any.then_some(counts)
}

/// `test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 16 filtered out; finished in 0.00s`
fn cargo(line: &str) -> Option<TestCounts> {
    let (_, rest) = line.strip_prefix("test result: ")?.split_once(". ")?;
    pieces(rest.split(';'))
}

/// `Summary [   0.123s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped`
fn nextest(line: &str) -> Option<TestCounts> {
    let (_, rest) = line.strip_prefix("Summary [")?.split_once(" run: ")?;
    pieces(rest.split([',', '(']))
}

/// `===== 3 passed, 1 failed, 2 warnings in 0.12s =====`, and without the bars under `-q`.
fn pytest(line: &str) -> Option<TestCounts> {
    let inner = line.trim_matches('=').trim();
    let (counts, time) = inner.rsplit_once(" in ")?;
    let is_time = time.split(['s', ' ']).next().is_some_and(|n| n.parse::<f64>().is_ok());
    let only_counts = counts.split(',').all(|piece| {
        let mut words = piece.split_whitespace();
        words.next().is_some_and(|n| n.parse::<u32>().is_ok()) && words.count() == 1
    });
    if is_time && only_counts { pieces(counts.split(',')) } else { None }
}

/// `Tests:       1 failed, 2 skipped, 12 passed, 15 total` (jest); `Tests  1 failed | 12 passed (13)` (vitest).
fn jest(line: &str) -> Option<TestCounts> {
    let rest = line.strip_prefix("Tests")?;
    match rest.strip_prefix(':') {
        Some(rest) if rest.contains(" total") => pieces(rest.split(',')),
        None if rest.starts_with("  ") => pieces(rest.split('|')),
        _ => None,
    }
}

/// `go test -json`: `{"Action":"pass","Package":"p","Test":"TestX","Elapsed":0}`
fn go_json(line: &str) -> Option<TestCounts> {
    if !line.starts_with('{') || !line.contains("\"Action\"") {
        return None;
    }
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    value["Test"].as_str()?;
    let one = TestCounts::default();
    match value["Action"].as_str()? {
        "pass" => Some(TestCounts { passed: 1, ..one }),
        "fail" => Some(TestCounts { failed: 1, ..one }),
        "skip" => Some(TestCounts { skipped: 1, ..one }),
        _ => None,
    }
}

/// Counted by test cases: suites may be nested, and their attributes are often left out.
fn junit(output: &str) -> TestCounts {
    let mut counts = TestCounts::default();
    for case in output.split("<testcase").skip(1) {
        // A case without content ends at once; what follows is not its own.
        let head = case.find('>').unwrap_or(case.len());
        let own = if case[..head].ends_with('/') {
            ""
        } else {
            &case[..case.find("</testcase").unwrap_or(case.len())]
        };
        if own.contains("<failure") || own.contains("<error") {
            counts.failed += 1;
        } else if own.contains("<skipped") {
            counts.skipped += 1;
        } else {
            counts.passed += 1;
        }
    }
    counts
}

#[cfg(test)]
mod fixtures {
    use super::*;

    fn counted(output: &str) -> Option<(u32, u32, u32)> {
        count(output).map(|counts| (counts.passed, counts.failed, counts.skipped))
    }

    #[test]
    fn runners() {
        for (output, want) in [
            (
                "running 2 tests\ntest a ... ok\n\ntest result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 16 filtered out; \
                 finished in 0.00s\n\n   Doc-tests x\ntest result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 \
                 filtered out; finished in 0.1s",
                Some((13, 2, 1)),
            ),
            (
                "------------\n     Summary [   0.123s] 12 tests run: 11 passed (1 slow), 1 failed, 3 skipped",
                Some((11, 1, 3)),
            ),
            (
                "     Summary [ 1.0s] 4/20 tests run: 2 passed, 1 failed, 1 timed out, 3 skipped",
                Some((2, 2, 3)),
            ),
            ("===== 1 failed, 3 passed, 2 skipped, 1 error, 4 warnings in 0.12s =====", Some((3, 2, 2))),
            ("....\n4 passed in 0.01s", Some((4, 0, 0))),
            ("==== 4 passed in 61.20s (0:01:01) ====", Some((4, 0, 0))),
            (
                "=== RUN   TestA\n--- PASS: TestA (0.00s)\n    --- SKIP: TestA/b (0.00s)\n--- FAIL: TestC (0.1s)\nFAIL",
                Some((1, 1, 1)),
            ),
            (
                "{\"Action\":\"run\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"p\",\"Test\":\"TestA\"}\n{\"Action\":\"pass\",\"Package\":\"p\"}",
                Some((1, 0, 0)),
            ),
            (
                "Test Suites: 1 failed, 2 passed, 3 total\nTests:       1 failed, 2 skipped, 12 passed, 15 total",
                Some((12, 1, 2)),
            ),
            (
                " Test Files  1 failed | 2 passed (3)\n      Tests  1 failed | 12 passed | 2 skipped (15)",
                Some((12, 1, 2)),
            ),
            (
                "<testsuites><testsuite tests=\"4\"><testcase name=\"a\"/><testcase name=\"b\"><failure>x</failure></testcase>\
                 <testcase name=\"c\"><skipped/></testcase><testcase name=\"d\"></testcase></testsuite></testsuites>",
                Some((2, 1, 1)),
            ),
        ] {
            assert_eq!(counted(output), want, "{output}");
        }
    }

    #[test]
    fn other_text_counts_nothing() {
        for output in [
            "",
            "3 passed the bridge in 5s",
            "Tests are good",
            "--- a/file\n+++ b/file",
            "error in 3s",
            "{\"Action\":1}",
        ] {
            assert_eq!(counted(output), None, "{output}");
        }
    }
}
