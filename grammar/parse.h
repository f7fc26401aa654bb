#ifndef LSC_GRAMMAR_PARSE_H
#define LSC_GRAMMAR_PARSE_H

#include "base/arena.h"
#include "grammar/ast.h"

/* How texts are read. */
struct parse_options {
    bool support_escapes; /* config.support_escapes: \" \' \\ \n \r \t \0 in strings */
    /* Looks up a variable; `out` is not changed when it is not known. */
    bool (*variable)(void *ctx, struct str name, struct str *out);
    void *variable_ctx;
};

/*
 * Parses one source and appends its sections to `out`. All problems go to `d`; false when there
 * was an error. After an error the parser goes on with the next plugin or section, so that one run
 * shows all of them. A BOM at the start is skipped; text that is not UTF-8 is an error.
 */
bool parse_source(struct arena *a, const struct source *source, const struct parse_options *options,
                  struct ast_config *out, struct diags *d);

/*
 * Reads the files that `path` names, sorted: a file, a directory (all its files but hidden ones
 * and those ending in ~), or a glob. Each is parsed by itself. No file at all is an error.
 */
bool parse_path(struct arena *a, struct str path, const struct parse_options *options,
                struct ast_config *out, struct diags *d);

/*
 * Puts ${VAR} and ${VAR:default} into every string and bareword of plugin settings, keys of
 * hashes excepted, and into condition strings that are one ${VAR} as a whole. An unknown variable
 * without default is an error at its place. Source: substitution_variables.rb,
 * ConfigVariableExpander.java.
 */
bool ast_expand(struct arena *a, struct ast_config *c, const struct parse_options *options,
                struct diags *d);

/* The text with its variables; for settings files. False when one is unknown: `*missing` names it.
 */
bool expand_text(struct arena *a, struct str text, const struct parse_options *options,
                 struct str *out, struct str *missing);

/* Looks variables up in the environment. */
bool parse_environment(void *ctx, struct str name, struct str *out);

#endif
