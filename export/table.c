/* SPDX-License-Identifier: Apache-2.0 */
/* The formats of --format. A new one is a file with a const struct and a row here. */
#include <string.h>

#include "export/exporter.h"

extern const struct exporter exporter_text, exporter_json, exporter_openmetrics, exporter_csv;

const struct exporter *const exporters[] = { &exporter_text, &exporter_json, &exporter_openmetrics,
					     &exporter_csv, NULL };

const struct exporter *exporter_by_name(const char *name)
{
	for (size_t i = 0; exporters[i]; i++)
		if (!strcmp(exporters[i]->name, name))
			return exporters[i];
	return NULL;
}
