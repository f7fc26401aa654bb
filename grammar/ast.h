#ifndef LSC_GRAMMAR_AST_H
#define LSC_GRAMMAR_AST_H

#include "base/diag.h"

/*
 * The tree of a config: texts are views into the sources (or into the arena, where escapes or
 * variables changed them), nothing is interpreted. Everything lives in the arena given to the
 * parser.
 */
enum ast_kind {
    AST_STRING,   /* '…' or "…"; text is unquoted */
    AST_BAREWORD, /* an unquoted word */
    AST_NUMBER,   /* text in decimal: 010 is octal and arrives as 8 */
    AST_LIST,     /* items */
    AST_HASH,     /* entries */
    AST_PLUGIN,   /* a codec with or without settings */
};

struct ast_value {
    enum ast_kind      kind;
    struct str         text;
    struct loc         loc;
    uint32_t           len; /* of items or entries */
    struct ast_value  *items;
    struct ast_entry  *entries;
    struct ast_plugin *plugin;
};

struct ast_entry {
    struct ast_value key; /* STRING, BAREWORD or NUMBER */
    struct ast_value value;
};

struct ast_setting {
    struct str       name;
    struct loc       loc; /* of the name */
    struct ast_value value;
};

/* Settings in the order of the text, a repeated one still repeated. */
struct ast_plugin {
    struct str          name;
    struct loc          loc; /* of the name */
    uint32_t            len;
    struct ast_setting *settings;
};

/* A field reference as written: [a][b]. */
struct ast_selector {
    struct str text;
    struct loc loc;
};

enum ast_operator {
    AST_OR,
    AST_AND,
    AST_XOR,
    AST_NAND,
    AST_NOT,
    AST_EQ,
    AST_NE,
    AST_LT,
    AST_LE,
    AST_GT,
    AST_GE,
    AST_MATCH,
    AST_NO_MATCH,
    AST_IN,
    AST_NOT_IN,
    AST_TRUTH, /* the operand itself */
};

enum ast_operand_kind {
    AST_OPERAND_SELECTOR,
    AST_OPERAND_VALUE, /* string, number, list */
    AST_OPERAND_REGEX, /* text between the slashes, \/ undone */
};

struct ast_operand {
    enum ast_operand_kind kind;
    struct loc            loc;
    struct str            text; /* of a selector or regex */
    struct ast_value      value;
};

/* OR AND XOR NAND NOT have `left` and `right` (NOT: only left); the others have operands. */
struct ast_condition {
    enum ast_operator     op;
    struct loc            loc; /* of the whole expression */
    struct ast_condition *left, *right;
    struct ast_operand    a, b; /* TRUTH: only a */
};

struct ast_block;

/* if / else if / else: an arm without condition is the else. */
struct ast_arm {
    struct ast_condition *condition;
    struct loc            loc;
    struct ast_block     *block;
};

struct ast_statement {
    struct ast_plugin *plugin; /* or NULL, and then arms */
    uint32_t           len;
    struct ast_arm    *arms;
    struct loc         loc;
};

struct ast_block {
    uint32_t              len;
    struct ast_statement *statements;
};

enum ast_section_kind { AST_INPUT, AST_FILTER, AST_OUTPUT };

struct ast_section {
    enum ast_section_kind kind;
    struct loc            loc;
    struct ast_block      block;
};

/* All sections of all files, in file order. */
struct ast_config {
    uint32_t            len;
    struct ast_section *sections;
};

/* Prints the tree, for --dump=ast. Texts only: values of settings that look secret are not known
   here, so the printer masks every string of a setting named like a secret (password, secret,
   token, key, …), and users and passwords in URLs. */
void ast_print(const struct ast_config *c, FILE *out);

#endif
