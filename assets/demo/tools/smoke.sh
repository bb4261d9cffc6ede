#!/bin/sh
# The built program answers as a user would see it.
set -eu
cd "$(dirname "$0")/.."
answer=$(sh build/kettle black)
echo "kettle black says: $answer"
[ "$answer" = "black tea: 4:00" ]
if sh build/kettle coffee 2>/dev/null; then
    echo "kettle made coffee"
    exit 1
fi
