#ifndef LSC_CODECS_CEF_H
#define LSC_CODECS_CEF_H

#include "plugin/plugin.h"
#include "text/zone.h"

/* What the files of the codec cef share. */

enum { CEF_HEADERS = 7, CEF_TIME_PATTERNS = 2 };
enum cef_device { CEF_OBSERVER, CEF_HOST };

/* Where a key of an extension goes. */
struct cef_target {
    const struct field *field;
    bool                is_time;     /* read as a moment */
    bool                is_timezone; /* the zone of such moments */
};

/* A field that is written, with the key it is written as. */
struct cef_output {
    const struct field *field;
    struct str          key;
};

struct cef_times {
    const struct date_format *format; /* with a year; what is behind the seconds is read by hand */
    struct zone               zone;
};

struct cef {
    struct str             default_timezone;
    struct str             delimiter;
    int                    device;
    int                    ecs_compatibility;
    struct strings         fields;
    struct str             locale;
    const struct template *name;
    const struct template *product;
    const struct field    *raw_data_field;
    bool                   reverse_mapping;
    const struct template *severity;
    const struct template *signature;
    const struct template *vendor;
    const struct template *version;

    const struct field *headers[CEF_HEADERS];
    const struct field *syslog; /* what stands before "CEF:" */
    struct map         *decode; /* key or name → number of a target */
    struct cef_target  *targets;
    struct cef_output  *outputs; /* as many as fields */
    struct cef_times    times;
};

/* Fills headers, decode, targets and outputs. False after plugin_error(). */
bool cef_fields_open(struct cef *c, struct plugin_open *cx);

/* Fills times. False after plugin_error(). */
bool cef_times_open(struct cef *c, struct plugin_open *cx);

/*
 * A moment as CEF writes it: milliseconds since 1970, with or without a fraction, or "MMM dd
 * HH:mm:ss" with a year, a fraction of 3, 6 or 9 digits and a zone, which all may be missing. The
 * zone is then `zone` (empty: default_timezone), the year that of `now`, the one before or behind.
 * Any thread. Source: timestamp_normalizer.rb.
 */
bool cef_time_read(const struct cef_times *t, struct str text, struct str zone,
                   struct timestamp now, struct arena *scratch, struct timestamp *out);

void cef_decode(const void *self, struct str bytes, struct decode *to);

#endif
