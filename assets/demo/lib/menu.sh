# menu: the teas that we know, and how many seconds each steeps.
menu() {
    echo "black 240"
    echo "oolong 210"
    echo "white 150"
}

# steep_seconds TEA: how long it steeps; status 1 for a tea that we don't know.
steep_seconds() {
    menu | awk -v tea="$1" '$1 == tea { print $2; found = 1 } END { exit !found }'
}
