/* SPDX-License-Identifier: Apache-2.0 */
/* drowsy KIND CPU US: a CPU from which a program in the kernel takes so many microseconds at a time, and a thread on it that sleeps
 * 5 ms and computes 1 ms in turns. KIND idle: each time that it wakes up from idle; softirq: at the end of each soft interrupt.
 * US 0: as the machine is. Says "ready PID TID", then ten times a second "TIME LATE": nanoseconds of CLOCK_MONOTONIC, and by how
 * much all sleeps together ended too late; until standard input ends. */
#include <linux/bpf.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ONE_NS   1000000u /* that a program burns: it may jump 8,192 times only */
#define LOOKS    8000
#define CALLS    16 /* of the clock for each jump */
#define SLEEP_NS 5000000
#define RUN_NS   1000000

#define INSN(c, d, s, o, i)                                                         \
	(struct bpf_insn)                                                           \
	{                                                                           \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) \
	}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* At cpu_idle(PWR_EVENT_EXIT, cpu), or at softirq_exit(vector). */
static int load(const char *kind, int cpu)
{
	int idle = !strcmp(kind, "idle");
	const struct bpf_insn head[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_DW, 6, 1, 0, 0),
		INSN(BPF_JMP32 | (idle ? BPF_JNE : BPF_JEQ) | BPF_K, 6, 0, 9 + CALLS, -1),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_get_smp_processor_id),
		INSN(BPF_JMP32 | BPF_JNE | BPF_K, 0, 0, 7 + CALLS, cpu),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 8, 0, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 8, 0, 0, ONE_NS),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 9, 0, 0, 0),
	};
	const struct bpf_insn call = INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_ktime_get_ns);
	const struct bpf_insn tail[] = {
		INSN(BPF_JMP | BPF_JGE | BPF_X, 0, 8, 2, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 9, 0, 0, 1),
		INSN(BPF_JMP | BPF_JLT | BPF_K, 9, 0, -3 - CALLS, LOOKS),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, 0),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	struct bpf_insn program[sizeof(head) / sizeof(*head) + CALLS + sizeof(tail) / sizeof(*tail)];
	union bpf_attr a = {
		.prog_type = BPF_PROG_TYPE_RAW_TRACEPOINT,
		.insn_cnt = sizeof(program) / sizeof(*program),
		.insns = (uint64_t)program,
		.license = (uint64_t) "GPL",
	};

	memcpy(program, head, sizeof(head));
	for (int i = 0; i < CALLS; i++)
		program[sizeof(head) / sizeof(*head) + i] = call;
	memcpy(program + sizeof(head) / sizeof(*head) + CALLS, tail, sizeof(tail));
	return (int)syscall(SYS_bpf, BPF_PROG_LOAD, &a, sizeof(a));
}

/* They are gone with the process. */
static int make_drowsy(const char *kind, int cpu, unsigned late_us)
{
	union bpf_attr a;
	int program = load(kind, cpu);

	if (program < 0)
		return -1;
	for (unsigned us = 0; us < late_us; us += ONE_NS / 1000) {
		memset(&a, 0, sizeof(a));
		a.raw_tracepoint.name =
			(uint64_t)(strcmp(kind, "idle") ? "softirq_exit" : "cpu_idle");
		a.raw_tracepoint.prog_fd = (uint32_t)program;
		if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &a, sizeof(a)) < 0)
			return -1;
	}
	return 0;
}

/* Returns by how much it was too late. */
static uint64_t sleep_and_run(void)
{
	uint64_t due = now_ns() + SLEEP_NS, woken;
	struct timespec t = { (time_t)(due / 1000000000u), (long)(due % 1000000000u) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL))
		continue;
	woken = now_ns();
	while (now_ns() < woken + RUN_NS)
		continue;
	return woken > due ? woken - due : 0;
}

static int is_told_to_end(void)
{
	struct pollfd in = { .fd = 0, .events = POLLIN };

	return poll(&in, 1, 0) != 0;
}

int main(int argc, char **argv)
{
	int cpu = argc == 4 ? atoi(argv[2]) : -1;
	uint64_t late = 0, said = 0, now;
	cpu_set_t set;

	if (cpu < 0 || cpu >= CPU_SETSIZE) {
		fprintf(stderr, "usage: drowsy idle|softirq CPU US\n");
		return 2;
	}
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) ||
	    make_drowsy(argv[1], cpu, (unsigned)atoi(argv[3]))) {
		perror("drowsy");
		return 1;
	}
	printf("ready %d %d\n", (int)getpid(), (int)getpid());
	for (;;) {
		now = now_ns();
		if (now - said >= 100000000u) {
			printf("%llu %llu\n", (unsigned long long)now, (unsigned long long)late);
			fflush(stdout);
			said = now;
			if (is_told_to_end())
				return 0;
		}
		late += sleep_and_run();
	}
}
