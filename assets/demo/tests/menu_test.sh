test_black_tea_steeps_four_minutes() {
    equal "$(steep_seconds black)" 240
}

test_unknown_tea_is_an_error() {
    if steep_seconds coffee; then fail "coffee is a tea now"; fi
}

test_every_time_is_a_number() {
    menu | while read -r tea seconds; do
        [ "$seconds" -gt 0 ] || fail "$tea steeps for $seconds"
    done
}
