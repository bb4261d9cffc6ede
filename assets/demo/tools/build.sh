#!/bin/sh
# Checks the syntax of every file and puts the library together as one program, build/kettle.
set -eu
cd "$(dirname "$0")/.."
for file in lib/*.sh tests/*.sh; do
    sh -n "$file"
    echo "checked $file"
done
mkdir -p build
{ echo '#!/bin/sh'; cat lib/*.sh; echo 'kettle "$@"'; } > build/kettle
echo "built build/kettle, $(awk 'END { print NR }' build/kettle) lines"
