/* Runs a program, and says what it took:  run FIGURES PROGRAM [WORD...]
 *
 * FIGURES is a file for two numbers: processor time in seconds, with that of all descendants which
 * were waited for, and the peak of resident memory in MiB, of the one that had most. */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const pid_t child = fork();
  if (child == 0) {
    execvp(argv[2], argv + 2);
    _exit(127);
  }
  int status = 1;
  struct rusage usage;
  if (child < 0 || wait4(child, &status, 0, &usage) != child) return 126;
  FILE *file = fopen(argv[1], "w");
  if (!file) return 125;
  fprintf(file, "%.3f %.1f\n",
          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
              (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
          (double)usage.ru_maxrss / 1024);
  fclose(file);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
