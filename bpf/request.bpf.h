/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* When a request began, by the kernel's own account. */
#ifndef SIXTY_BPF_REQUEST_H
#define SIXTY_BPF_REQUEST_H

#include "bpf/common.bpf.h"

/* 6.12 gave the flags numbers that types tell. */
enum rqf_flags { __RQF_IO_STAT = 8 };

/* Are the times in it those of this request? Where queue/iostats is 0 they are not set: old kernels set them to 0, newer ones
 * leave what the request before has left. */
hidden bool request_is_timed(struct request *rq)
{
	if (bpf_core_enum_value_exists(enum rqf_flags, __RQF_IO_STAT))
		return rq->rq_flags >> bpf_core_enum_value(enum rqf_flags, __RQF_IO_STAT) & 1;
	return rq->start_time_ns != 0;
}

/* 0: not known. */
hidden __u64 request_begun(struct request *rq)
{
	return request_is_timed(rq) ? rq->start_time_ns : 0;
}

#endif
