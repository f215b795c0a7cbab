// no-network PROGRAM ARGUMENT...: runs a program that can open no socket but Unix ones, nor can whatever it starts.
//
// The containers of a pod share one network, and no network policy tells them apart: what runs customers' rules is kept away
// from it here, by a filter of system calls (seccomp) that nothing can take off again. It needs no privilege, and stands before
// the filter that the container has anyway.
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

// Numbers from here on are those of the x32 convention, under which the same calls have other numbers.
#define OTHER_CONVENTION 0x40000000

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(action) BPF_STMT(BPF_RET | BPF_K, action)
// The next step is taken only if what was loaded is so.
#define IF_EQUAL(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1)
#define IF_NOT(value) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0)
#define IF_AT_LEAST(value) BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, value, 0, 1)

static struct sock_filter steps[] = {
  LOAD(arch),
  IF_NOT(ARCHITECTURE),
  ANSWER(SECCOMP_RET_KILL_PROCESS),
  LOAD(nr),
  IF_AT_LEAST(OTHER_CONVENTION),
  ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
  // Rings open sockets without the call.
  IF_EQUAL(__NR_io_uring_setup),
  ANSWER(SECCOMP_RET_ERRNO | ENOSYS),
  IF_NOT(__NR_socket),
  ANSWER(SECCOMP_RET_ALLOW),
  LOAD(args[0]),
  IF_EQUAL(AF_UNIX),
  ANSWER(SECCOMP_RET_ALLOW),
  ANSWER(SECCOMP_RET_ERRNO | EACCES),
};

int main(int count, char *words[]) {
  struct sock_fprog filter = {.len = sizeof steps / sizeof steps[0], .filter = steps};
  if (count < 2) {
    fputs("usage: no-network PROGRAM ARGUMENT...\n", stderr);
    return 2;
  }
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) != 0) {
    perror("no-network: the filter");
    return 1;
  }
  execv(words[1], words + 1);
  perror(words[1]);
  return 1;
}
