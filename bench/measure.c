/* bench/measure.c - runs a program and says what it cost
 *
 *     measure REPORT PROGRAM [ARGUMENT...]
 *
 * Writes "USER_US SYSTEM_US PEAK_RSS_KB STATUS" to the file REPORT and exits with the program's own
 * status (128 + signal when one ended it). Small on purpose: the kernel's figure for the peak of a
 * child begins with the size of the process that forked it, so a script cannot measure small
 * programs.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long long micros(struct timeval t)
{
    return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
    struct rusage cost;
    int status;

    if (argc < 3) {
        fputs("usage: measure REPORT PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    pid_t child = fork();
    if (child < 0) {
        perror("measure: fork");
        return 4;
    }
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fprintf(stderr, "measure: %s: %s\n", argv[2], strerror(errno));
        _exit(127);
    }
    while (wait4(child, &status, 0, &cost) < 0) {
        if (errno != EINTR) {
            perror("measure: wait4");
            return 4;
        }
    }
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    FILE *report = fopen(argv[1], "w");
    if (!report) {
        perror(argv[1]);
        return 4;
    }
    fprintf(report, "%lld %lld %ld %d\n", micros(cost.ru_utime), micros(cost.ru_stime),
            cost.ru_maxrss, code);
    return fclose(report) == 0 ? code : 4;
}
