/* Draws like an agent at work: some text, then a status line that changes 10 times a second. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void) {
    static const char *spinner[] = {"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"};
    char text[512];
    int n = snprintf(text, sizeof text, "\033[?1049h\033[?25l\033[2J\033[3;1H\033[32m> edit src/main.rs\033[0m");
    if (write(1, text, n) < 0) return 0;
    struct timespec pause = {0, 100000000L};
    for (long i = 0;; i++) {
        n = snprintf(text, sizeof text,
                     "\033[?2026h\033[1;1H\033[38;5;208m%s\033[0m Working… (%ld.%lds · \033[2m%ld tokens\033[0m)\033[K\033[?2026l",
                     spinner[i % 10], i / 10, i % 10, i * 37);
        if (write(1, text, n) < 0) return 0;
        nanosleep(&pause, 0);
    }
}
