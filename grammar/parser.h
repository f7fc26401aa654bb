#ifndef LSC_GRAMMAR_PARSER_H
#define LSC_GRAMMAR_PARSER_H

#include "grammar/parse.h"

/*
 * What lexer, grammar and parse.c share; nobody else includes this. The generated code keeps no
 * state of its own.
 */
enum {
    PARSE_SIZE_MAX = 64 << 20,  /* bytes of one source */
    PARSE_DEPTH_MAX = 200,      /* of { [ ( together: bounds every recursion over the tree */
    PARSE_ERRORS_MAX = 1000,    /* then the parser gives up */
    PARSE_CONDITION_MAX = 4096, /* parts of one condition, for the same reason */
};

/* What stands between two tokens. Logstash wants white space between settings, and nothing but
   white space between the entries of a hash. */
enum gap {
    GAP_NONE,
    GAP_SPACE,
    GAP_SPACE_COMMENT, /* a comment behind white space */
    GAP_COMMENT,       /* a comment that touches the token before it */
};

/* A word, number or string as written, quotes included. */
struct word {
    struct str text;
    enum gap   gap; /* before it */
};

enum lexer_state { LEXER_TOP, LEXER_BODY, LEXER_VALUES, LEXER_CONDITION };

/* A bracket that is still open. */
struct bracket {
    char             kind; /* { [ ( */
    enum lexer_state back; /* once it is closed */
    struct loc       loc;
};

struct parse {
    struct arena               *arena;
    const struct source        *source;
    const struct parse_options *options;
    struct diags               *diags;
    struct ast_config          *out;

    /* tokens.c */
    void          *scanner;
    uint32_t       offset;       /* of the next token */
    enum gap       gap;          /* before the newest token */
    int            last, before; /* the newest token and the one before */
    struct loc     last_loc, before_loc;
    bool           in_condition; /* between an if and its { */
    bool           begins_body;  /* the newest token is the { of an if */
    struct bracket open[PARSE_DEPTH_MAX];
    uint32_t       depth, braces; /* all of `open`, and the { among them */

    /* Tokens that tokens.c makes up: } for what the text left open, before the token held back. */
    bool        holding, made_up;
    int         held;
    struct word held_word;
    struct loc  held_loc;
    bool        brace_waits; /* the { of an if, behind an UNCLOSED */
    struct loc  brace_loc;

    /* After a syntax error: skip what cannot be understood. */
    bool     skipping, skip_to_body;
    uint32_t skip_braces; /* up to the } that leaves fewer than this open */
    bool     lost;        /* the rest makes no sense: say no more about it */
    bool     unbalanced;  /* a missing } was reported where it was noticed */

    /* Suspects; source NULL: none. */
    struct loc odd;   /* a { closed by a } that by its indentation belongs to another */
    struct loc glued; /* a string over several lines that the next word touches */

    uint32_t parts; /* of the condition being read */
};

/* A condition on the parser's stack: `grouped` when it stood in parentheses. */
struct parsed_condition {
    struct ast_condition *at;
    bool                  grouped;
};

struct parsed_setting {
    struct ast_setting setting;
    enum gap           gap;
};

struct parsed_entry {
    struct ast_entry entry;
    enum gap         gap;
};

/* ---- lexer.l ---- */

void             lexer_open(struct parse *p);
void             lexer_close(struct parse *p);
void             lexer_set_state(struct parse *p, enum lexer_state state);
enum lexer_state lexer_state(struct parse *p);

/* ---- tokens.c: between lexer and grammar: brackets, and finding the way after an error ---- */

/* When a quote is most likely missing where a string began: says so there, and true. */
bool tokens_blame_string(struct parse *p);
/* Where to go on after a syntax error at `token`. */
void tokens_recover(struct parse *p, int token);

/* ---- build.c: values and trees for the actions of the grammar ---- */

/* Not said when an earlier error has made the rest doubtful. */
__attribute__((format(printf, 3, 4))) void parse_error(struct parse *p, struct loc at,
                                                       const char *format, ...);
struct loc                                 parse_span(const struct loc *rhs, int n);

/* The text of a token; of a STRING without quotes, its escapes undone if asked for. */
struct str       parse_name(struct parse *p, struct word token);
struct ast_value parse_word(struct parse *p, enum ast_kind kind, struct word token, struct loc loc);
/* The number in decimal; an error when it is none that Logstash takes. */
struct ast_value parse_number(struct parse *p, struct word token, struct loc loc);
/* ["a"] or [5] as a list. */
struct ast_value parse_list_of_one(struct parse *p, struct word token, struct loc loc);
struct ast_value parse_codec(struct parse *p, struct ast_plugin plugin, struct loc loc);

struct parsed_entry parse_key(struct ast_value key, enum gap gap);

void parse_add_item(struct parse *p, struct ast_value *list, struct ast_value item);
void parse_add_entry(struct parse *p, struct ast_value *hash, struct parsed_entry parsed);
/* Says which keys are there twice. */
void parse_check_keys(struct parse *p, const struct ast_value *hash);
void parse_add_setting(struct parse *p, struct ast_plugin *plugin, struct parsed_setting parsed);
void parse_add_plugin(struct parse *p, struct ast_block *block, struct ast_plugin plugin,
                      struct loc loc);
void parse_add_branch(struct parse *p, struct ast_block *block, struct ast_statement branch,
                      struct loc loc);
void parse_add_arm(struct parse *p, struct ast_statement *branch, struct parsed_condition condition,
                   struct ast_block block, struct loc loc);
void parse_add_section(struct parse *p, struct word name, struct loc loc, struct ast_block block);

struct ast_operand parse_selector(struct parse *p, struct word token, struct loc loc);
struct ast_operand parse_regex(struct parse *p, struct word token, struct loc loc);
struct ast_operand parse_operand(struct ast_value value);

/* An operand by itself. */
struct parsed_condition parse_truth(struct parse *p, struct ast_operand a);
struct parsed_condition parse_test(struct parse *p, enum ast_operator op, struct ast_operand a,
                                   struct ast_operand b, struct loc loc);
struct parsed_condition parse_join(struct parse *p, enum ast_operator op,
                                   struct parsed_condition left, struct parsed_condition right,
                                   struct loc loc, struct loc op_loc);
struct parsed_condition parse_not(struct parse *p, struct parsed_condition of, struct loc loc);

#endif
