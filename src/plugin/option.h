#ifndef LSC_PLUGIN_OPTION_H
#define LSC_PLUGIN_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/template.h"
#include "grammar/ast.h"
#include "text/regex.h"

/*
 * One row per setting of a plugin. From these rows come: checking, defaults, --plugin-help,
 * docs/plugins and "did you mean". A row names a member of the plugin's struct; OPT() refuses at
 * compile time a member whose C type is not the one below.
 */
enum option_type {
    OPT_BOOL,      /* bool */
    OPT_INT,       /* int64_t; min and max count */
    OPT_FLOAT,     /* double */
    OPT_BYTES,     /* int64_t: 1024 or "10 mb", "1KiB" */
    OPT_SECONDS,   /* struct duration: 5, 0.5, "5s", "100 ms", "2 minutes", "1 day" */
    OPT_STRING,    /* struct str */
    OPT_ENUM,      /* int: index into .choices */
    OPT_PATH,      /* struct str: must exist when the config is checked */
    OPT_URI,       /* struct str: has a scheme; printed with its password masked */
    OPT_PASSWORD,  /* struct password: never printed */
    OPT_FIELD,     /* const struct field * */
    OPT_FIELDS,    /* struct fields; one string counts as a list of one */
    OPT_TEMPLATE,  /* const struct template *: text with %{…} */
    OPT_TEMPLATES, /* struct templates */
    OPT_REGEX,     /* struct regex * */
    OPT_STRINGS,   /* struct strings; one string counts as a list of one */
    OPT_PAIRS,     /* struct pairs: a hash, or a list of even length */
    OPT_CODEC,     /* struct codec *: opened */
    OPT_ECS,       /* int, enum ecs: follows pipeline.ecs_compatibility unless given */
    OPT_AST,       /* const struct ast_value *: any shape, for the plugin to walk in open() */
    OPT_LAST,
};

enum ecs { ECS_DISABLED, ECS_V1, ECS_V8 };

struct duration {
    int64_t ns;
};

struct password {
    struct str secret;
};

struct strings {
    uint32_t    len;
    struct str *at;
};

/* In the order in which Logstash's plugins see a hash (option_order.c), not that of the config.
   Repeated keys are merged into a list value, as Logstash does. */
struct pair {
    struct str              key;
    struct loc              key_loc;
    const struct ast_value *value;
};
struct pairs {
    uint32_t     len;
    struct pair *at;
};

struct codec;

typedef bool                    OPT_BOOL_type;
typedef int64_t                 OPT_INT_type;
typedef double                  OPT_FLOAT_type;
typedef int64_t                 OPT_BYTES_type;
typedef struct duration         OPT_SECONDS_type;
typedef struct str              OPT_STRING_type;
typedef int                     OPT_ENUM_type;
typedef struct str              OPT_PATH_type;
typedef struct str              OPT_URI_type;
typedef struct password         OPT_PASSWORD_type;
typedef const struct field     *OPT_FIELD_type;
typedef struct fields           OPT_FIELDS_type;
typedef const struct template  *OPT_TEMPLATE_type;
typedef struct templates        OPT_TEMPLATES_type;
typedef struct regex           *OPT_REGEX_type;
typedef struct strings          OPT_STRINGS_type;
typedef struct pairs            OPT_PAIRS_type;
typedef struct codec           *OPT_CODEC_type;
typedef int                     OPT_ECS_type;
typedef const struct ast_value *OPT_AST_type;

struct option {
    const char        *name;
    enum option_type   type;
    size_t             offset;
    bool               required;
    const char        *preset;     /* default, written as the user would write it */
    const char *const *choices;    /* OPT_ENUM: ends with NULL */
    int64_t            min, max;   /* OPT_INT, OPT_BYTES: unlimited when both are 0 */
    const char        *deprecated; /* still works, with one warning that says this */
    const char        *obsolete;   /* what to use instead; the setting is refused */
    const char        *not_built;  /* why lsc does not have it yet; the setting is refused */
    const char        *no_effect;  /* why it means nothing here; accepted with one warning */
    const char        *doc;        /* full sentences */
};

/* The member has the option's name, so there is one name to read, grep and document. */
#define OPT(self, option_type, member, ...)                                                        \
    {                                                                                              \
        .name = #member, .type = option_type,                                                      \
        .offset =                                                                                  \
            offsetof(self, member) + 0 * sizeof(&((self *)0)->member == (option_type##_type *)0),  \
        __VA_ARGS__                                                                                \
    }
/* The same for a name that is no C identifier: `keep.alive` or `register`. */
#define OPT_NAMED(self, option_type, option_name, member, ...)                                     \
    {                                                                                              \
        .name = option_name, .type = option_type,                                                  \
        .offset =                                                                                  \
            offsetof(self, member) + 0 * sizeof(&((self *)0)->member == (option_type##_type *)0),  \
        __VA_ARGS__                                                                                \
    }
/* A setting that is refused or has no effect needs no member. */
#define OPT_REFUSED(option_name, ...)                                                              \
    {                                                                                              \
        .name = option_name, .type = OPT_AST, .offset = SIZE_MAX, __VA_ARGS__                      \
    }
#define OPT_END                                                                                    \
    {                                                                                              \
        .name = NULL                                                                               \
    }

struct plugin_open;

/*
 * Fills `self`, zeroed before, from the settings of `ast`; also from the rows `common` (NULL:
 * none) into `common_self`. Repeated settings are merged first. False after at least one diag.
 */
bool options_bind(const struct option *options, void *self, const struct option *common,
                  void *common_self, const struct ast_plugin *ast, struct plugin_open *cx);
/* Frees what the rows opened in `self` and no arena holds: regexes, codecs. */
void options_release(const struct option *options, void *self);

/* Values of options outside of tables (settings, hashes walked by plugins). False: not one. */
bool option_bool(struct str text, bool *out);
bool option_int(struct str text, int64_t *out);
bool option_float(struct str text, double *out);
bool option_bytes(struct str text, int64_t *out);
bool option_duration(struct str text, struct duration *out);

/* The text of a STRING, BAREWORD or NUMBER; data NULL for other kinds. */
struct str ast_text(const struct ast_value *v);
/* The same as Ruby's to_s gives it: a number by its value (010 is 8, 1.50 is 1.5), a list or hash
   as it is inspected. Never data NULL. */
struct str ast_to_s(struct arena *a, const struct ast_value *v);
/* Appends the value as a user would write it, for messages. Source: Ruby's inspect. */
void ast_inspect(const struct ast_value *v, struct buf *out);
/* The place of byte `at` of a value's text; the whole value when that cannot be told. */
struct loc ast_loc_at(const struct ast_value *v, size_t at);
/* True when the values say the same: kinds and texts alike, lists and hashes item by item. */
bool ast_equal(const struct ast_value *a, const struct ast_value *b);

/* A value of a config as an event value: numbers become numbers, strings stay. */
struct value ast_to_value(struct arena *a, const struct ast_value *v);

#endif
