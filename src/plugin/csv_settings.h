#ifndef LSC_PLUGIN_CSV_SETTINGS_H
#define LSC_PLUGIN_CSV_SETTINGS_H

#include "plugin/plugin.h"
#include "text/csv_columns.h"

/* The settings that filter and codec csv share. */
struct csv_settings {
    const struct strings *columns;
    const struct pairs   *convert;
    struct str            quote_char, separator;
    const struct field   *target; /* NULL: the event itself */
    bool                  autogenerate, skip_empty;
};

/* Checks and compiles them into cx->arena. False after plugin_error(). */
bool csv_settings_open(const struct csv_settings *s, struct plugin_open *cx,
                       struct csv_dialect *dialect, struct csv_schema *schema,
                       struct csv_columns *columns);

#endif
