#ifndef LSC_TEXT_UAP_H
#define LSC_TEXT_UAP_H

#include "event/value.h"

/*
 * What the user agents of HTTP say about themselves, by the regexes of uap-core's regexes.yaml.
 * Constant once read; any thread. Source: uap-core's docs/specification.md; org/logstash/uaparser.
 */
struct uap;

/* What was found; data NULL where nothing was. Texts are views into the text that was looked at,
   the regexes, or lie in the arena. Nothing known: the families are "Other". */
enum uap_part {
    UAP_NAME,
    UAP_MAJOR,
    UAP_MINOR,
    UAP_PATCH,
    UAP_PATCH_MINOR,
    UAP_OS,
    UAP_OS_MAJOR,
    UAP_OS_MINOR,
    UAP_OS_PATCH,
    UAP_OS_PATCH_MINOR,
    UAP_DEVICE,
    UAP_PARTS,
};

/* From the text of a regexes.yaml. NULL after filling `error`. */
struct uap *uap_read(struct str yaml, char *error, size_t error_size);
void        uap_free(struct uap *u); /* NULL: nothing */

/* `parts` has UAP_PARTS members. */
void uap_look(const struct uap *u, struct str text, struct arena *a, struct str *parts);

#endif
