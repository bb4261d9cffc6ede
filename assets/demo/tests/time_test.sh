test_clock_pads_seconds() {
    equal "$(clock 65)" 1:05
}

test_clock_of_less_than_a_minute() {
    equal "$(clock 59)" 0:59
}
