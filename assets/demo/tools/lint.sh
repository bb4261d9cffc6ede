#!/bin/sh
# No tabs, no trailing blanks, no line over 100 columns, a comment above every library function.
cd "$(dirname "$0")/.." || exit 2
awk '
    function bad(what) { print FILENAME ":" FNR ": " what; count++ }
    /\t/ { bad("a tab") }
    / $/ { bad("a blank at the end of the line") }
    length($0) > 100 { bad("longer than 100 columns") }
    FILENAME ~ /^lib\// && /^[a-z_]+\(\)/ && before !~ /^#/ { bad("a function without a comment") }
    { before = $0 }
    END { print count + 0 " complaints"; exit count > 0 }
' lib/*.sh tests/*.sh
