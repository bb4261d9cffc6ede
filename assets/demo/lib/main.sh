# kettle TEA: says how long the tea steeps.
kettle() {
    if seconds=$(steep_seconds "$1"); then
        echo "$1 tea: $(clock "$seconds")"
    else
        echo "kettle: no tea is called '$1'" >&2
        return 1
    fi
}
