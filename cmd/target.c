/* SPDX-License-Identifier: Apache-2.0 */
/* Which process a command is about. */
#include "cmd/target.h"

#include <errno.h>

#include "cmd/output.h"
#include "collectors/pid_target.h"

int target_pid(const char *command, int pid, const char *ns, int *found)
{
	struct err e = { 0 };
	struct root root;
	int err;

	*found = pid;
	if (ns && !pid)
		return output_usage(command, "--ns says whose number PID is: it needs -p PID");
	if (!pid)
		return 0;
	if (root_open(&root, "/", &e))
		return output_error(&e);
	err = pid_target_find(&root, pid, ns, found, &e);
	root_close(&root);
	if (err == -EINVAL)
		return output_refused(&e);
	return err ? output_error(&e) : 0;
}
