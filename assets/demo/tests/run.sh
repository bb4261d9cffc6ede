#!/bin/sh
# Runs every test_* function of the test files, each in its own shell; counts as cargo test does.
cd "$(dirname "$0")/.." || exit 2
passed=0 failed=0

equal() {
    [ "$1" = "$2" ] || fail "expected '$2', got '$1'"
}

fail() {
    echo "    $*" >&2
    exit 1
}

for file in lib/*.sh; do . "./$file"; done
for file in tests/*_test.sh; do . "./$file"; done
for name in $(awk -F'(' '/^test_[a-z0-9_]*\(\)/ { print $1 }' tests/*_test.sh); do
    if ("$name"); then
        echo "test $name ... ok"
        passed=$((passed + 1))
    else
        echo "test $name ... FAILED"
        failed=$((failed + 1))
    fi
done
[ "$failed" -eq 0 ] && word=ok || word=FAILED
echo
echo "test result: $word. $passed passed; $failed failed; 0 ignored; 0 measured; 0 filtered out"
[ "$failed" -eq 0 ]
