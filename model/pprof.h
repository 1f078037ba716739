/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SIXTY_MODEL_PPROF_H
#define SIXTY_MODEL_PPROF_H

/* Fields of the message Profile of pprof's profile.proto, for those who read and those who write it. */
enum pprof_field {
	PPROF_SAMPLE_TYPE = 1,
	PPROF_SAMPLE = 2,
	PPROF_MAPPING = 3,
	PPROF_LOCATION = 4,
	PPROF_FUNCTION = 5,
	PPROF_STRING_TABLE = 6,
	PPROF_TIME_NANOS = 9,
	PPROF_DURATION_NANOS = 10,
	PPROF_PERIOD_TYPE = 11,
	PPROF_COMMENT = 13,
	PPROF_LAST = 15,
};

#endif
