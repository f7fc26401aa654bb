#ifndef LSC_CODECS_NETFLOW_H
#define LSC_CODECS_NETFLOW_H

#include <pthread.h>

#include "plugin/plugin.h"

/* What the files of the codec netflow share. */

enum netflow_type {
    NETFLOW_UINT, /* of as many bytes as the template says */
    NETFLOW_INT,  /* the same with a sign */
    NETFLOW_IP4,
    NETFLOW_IP6,
    NETFLOW_MAC,
    NETFLOW_STRING, /* zeros at its end do not count */
    NETFLOW_OCTETS, /* shown as hexadecimal digits */
    NETFLOW_FLOAT,
    NETFLOW_SKIP,
    NETFLOW_SECONDS,      /* since 1970 */
    NETFLOW_MILLISECONDS, /* since 1970 */
    NETFLOW_NTP,          /* seconds since 1900 and a fraction of 32 bits */
    NETFLOW_UPTIME,       /* milliseconds since the exporter started */
    NETFLOW_FORWARDING,
    NETFLOW_APPLICATION,
    NETFLOW_MPLS,
    NETFLOW_ACL,
    NETFLOW_TYPES,
};

enum { NETFLOW_VARIABLE = 65535 /* a length that stands before each value */ };

/* ---- definitions ---- */

struct netflow_definition {
    uint64_t          id; /* enterprise << 16 | field */
    enum netflow_type type;
    struct key        name;
};

/* Those of the config and the reversed ones, sorted by id. Constant once open. */
struct netflow_definitions {
    uint32_t                   len;
    struct netflow_definition *at;
};

/* Reads a YAML file of definitions (empty: none). `enterprises`: one level of enterprise numbers
   stands above the fields. False after plugin_error() about `setting`. */
bool netflow_definitions_open(struct netflow_definitions *d, struct str path, const char *setting,
                              bool enterprises, struct plugin_open *cx);

/* What a field is. Of version 9 when `v9`. False when it is not known. */
bool netflow_find(const struct netflow_definitions *d, bool v9, uint32_t enterprise, uint16_t field,
                  struct netflow_definition *out);

/* ---- templates ---- */

/* A field as an exporter describes it. `scope`: of an options template of version 9. */
struct netflow_spec {
    uint32_t enterprise;
    uint16_t field, len;
    bool     scope;
};

struct netflow_field {
    enum netflow_type type;
    uint16_t          len; /* NETFLOW_VARIABLE, or bytes */
    struct key        name;
};

struct netflow_template {
    struct netflow_template *next;
    uint64_t                 id; /* exporter's domain << 16 | template */
    int64_t                  expires_ns;
    uint32_t                 len;
    size_t                   shortest; /* bytes that a record has at least */
    struct netflow_spec     *specs;    /* as many as fields; what caches keep */
    struct netflow_field     fields[];
};

enum { NETFLOW_BUCKETS = 1024, NETFLOW_TEMPLATES_MAX = 8192, NETFLOW_FIELDS_MAX = 1024 };

/* The templates of one version, shared by all streams of a codec: under `mutex`. */
struct netflow_store {
    pthread_mutex_t                   mutex;
    bool                              v9;
    const struct netflow_definitions *definitions;
    int64_t                           ttl_ns;
    struct str                        cache; /* the file they are kept in; empty: none */
    uint32_t                          len;
    struct netflow_template          *buckets[NETFLOW_BUCKETS];
};

/* Reads the cache, if there is one; a broken one is logged and not used. */
void netflow_store_open(struct netflow_store *s, struct arena *scratch);
void netflow_store_close(struct netflow_store *s);
/* NULL: there is none, or not any more. The store is locked by the caller, here and below. */
const struct netflow_template *netflow_store_find(struct netflow_store *s, uint64_t id);
/* Takes a template in, or takes it out when `len` is 0. False with `*why` set when it cannot be. A
   change is written to the cache. */
bool netflow_store_put(struct netflow_store *s, uint64_t id, const struct netflow_spec *specs,
                       uint32_t len, const char **why);

/* ---- values ---- */

/* The header of a message, as far as values and events need it. */
struct netflow_header {
    uint16_t         version;
    uint32_t         sequence, domain, uptime_ms;
    struct timestamp time;
};

static inline uint64_t netflow_uint(const char *p, size_t n)
{
    uint64_t u = 0;

    for (size_t i = 0; i < n; i++)
        u = u << 8 | (unsigned char)p[i];
    return u;
}

/* The value of `bytes`, in `a`. */
struct value netflow_value(struct arena *a, const struct netflow_header *h, enum netflow_type type,
                           struct str bytes);
/* An address of four bytes as text in `a`. */
struct value netflow_ip4(struct arena *a, const char *bytes);
/* The moment at which an exporter had been running for `uptime_ms`, as text. */
struct value netflow_uptime(struct arena *a, const struct netflow_header *h, uint32_t uptime_ms);

#endif
