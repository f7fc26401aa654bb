#ifndef LSC_CODECS_COLLECTD_H
#define LSC_CODECS_COLLECTD_H

#include "plugin/plugin.h"

/* What the files of the codec collectd share. */

/* ---- types.db ---- */

/* The names of the values of each type: a map of lists. */
struct collectd_types {
    struct map *files; /* NULL: none were given */
};

/* Reads the files; the names are built in for what they do not have. False after plugin_error(). */
bool collectd_types_open(struct collectd_types *t, const struct strings *paths,
                         struct plugin_open *cx);
/* The name of value `i` of `n`; empty when the type does not have that many. */
struct str collectd_types_name(const struct collectd_types *t, struct str type, uint32_t i,
                               uint32_t n);

/* ---- users ---- */

/* The passwords of a file, read again when it changes; any thread. */
struct collectd_auth;

/* NULL after plugin_error(). */
struct collectd_auth *collectd_auth_open(struct str path, struct plugin_open *cx);
void                  collectd_auth_close(struct collectd_auth *a); /* NULL: nothing */

/* Whether `signature` (32 bytes) is that of `user` for what follows it in a packet. */
bool collectd_auth_verify(struct collectd_auth *a, struct str user, const char *signature,
                          struct str payload);

/*
 * Decrypts `secret`, a SHA-1 and what it is of, into memory of `arena`. False when the user is not
 * known or the checksum is wrong.
 */
bool collectd_auth_decrypt(struct collectd_auth *a, struct str user, const char *iv,
                           struct str secret, struct arena *arena, struct str *plain);

enum { COLLECTD_SIGNATURE = 32, COLLECTD_IV = 16, COLLECTD_CHECKSUM = 20 };

#endif
