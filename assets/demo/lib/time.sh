# clock SECONDS: as a kitchen clock shows it, M:SS.
clock() {
    printf '%d:%02d\n' $(($1 / 60)) $(($1 % 60))
}
