/*
 * The grammar of Logstash configs, in the order of lscl_grammar.treetop.
 *
 * Rules whose action is parse_error() stand for what people write instead; they say what is meant
 * and carry on. The rules with `error` skip to the end of the block, see tokens_recover().
 */
%require "3.6"
%define api.pure full
%define api.prefix {lsc_yy}
%define parse.error custom
%define parse.lac full
%locations
%param {struct parse *p}

%code requires {
#include "grammar/parser.h"
#define LSC_YYLTYPE struct loc
#define YYLLOC_DEFAULT(here, rhs, n) ((here) = parse_span(rhs, n))
}

%union {
    struct word             word;
    struct ast_value        value;
    struct parsed_entry     entry;
    struct parsed_setting   setting;
    struct ast_plugin       plugin;
    struct ast_statement    branch;
    struct ast_block        block;
    struct ast_operand      operand;
    struct parsed_condition condition;
    enum ast_operator       op;
}

%code provides {
int lsc_yylex(LSC_YYSTYPE *value, struct loc *loc, struct parse *p);
int lexer_scan(LSC_YYSTYPE *value, struct loc *loc, void *scanner);
int tokens_unclosed(struct parse *p, const char *what, struct loc loc);
int tokens_curly(struct parse *p, LSC_YYSTYPE *value, struct loc loc);
}

%code {
#include "base/buf.h"
#include "base/utf8.h"

static void lsc_yyerror(struct loc *loc, struct parse *p, const char *message);
}

%token END 0
%token <word> SECTION NAME WORD INTEGER DECIMAL STRING
%token <word> IF ELSE ELSEIF SELECTOR LIST_OF_ONE REGEX
%token UNCLOSED /* in no rule, see tokens.c */
%token ARROW IN NOT NOTIN AND OR XOR NAND EQ NE LT LE GT GE MATCH NO_MATCH

%type <word>      name
%type <block>     block statements
%type <branch>    branch if
%type <plugin>    plugin settings
%type <setting>   setting
%type <value>     value list items hash entries number
%type <entry>     entry key
%type <condition> condition expression
%type <operand>   left right literal pattern
%type <op>        comparison matching

%left OR XOR NAND
%left AND

%%

config:
    %empty
  | config SECTION block            { parse_add_section(p, $2, @2, $3); }
  | config error
  ;

block:
    '{' statements '}'              { $$ = $2; }
  | '{' statements error '}'        { $$ = $2; yyerrok; }
  ;

statements:
    %empty                          { $$ = (struct ast_block){0}; }
  | statements plugin               { $$ = $1; parse_add_plugin(p, &$$, $2, @2); }
  | statements branch               { $$ = $1; parse_add_branch(p, &$$, $2, @2); }
  ;

plugin:
    name '{' settings '}'           { $$ = $3; $$.name = parse_name(p, $1); $$.loc = @1; }
  | name '{' settings error '}'     { $$ = $3; $$.name = parse_name(p, $1); $$.loc = @1; yyerrok; }
  ;

name: NAME | WORD | INTEGER | STRING ;

settings:
    %empty                          { $$ = (struct ast_plugin){0}; }
  | settings setting                { $$ = $1; parse_add_setting(p, &$$, $2); }
  | settings ','                    { $$ = $1; parse_error(p, @2, "settings are separated by "
                                                           "white space, not by commas"); }
  ;

setting:
    name ARROW value                { $$ = (struct parsed_setting){
                                          {parse_name(p, $1), @1, $3}, $1.gap}; }
  ;

value:
    plugin                          { $$ = parse_codec(p, $1, @1); }
  | WORD                            { $$ = parse_word(p, AST_BAREWORD, $1, @1); }
  | STRING                          { $$ = parse_word(p, AST_STRING, $1, @1); }
  | number
  | list
  | hash
  | NAME                            { $$ = parse_word(p, AST_BAREWORD, $1, @1);
                                      parse_error(p, @1, "put quotes around the value: \"%.*s\"",
                                                  STR_ARG($1.text)); }
  ;

number:
    INTEGER                         { $$ = parse_number(p, $1, @1); }
  | DECIMAL                         { $$ = parse_number(p, $1, @1); }
  ;

list:
    '[' ']'                         { $$ = (struct ast_value){.kind = AST_LIST, .loc = @$}; }
  | '[' items ']'                   { $$ = $2; $$.loc = @$; }
  ;

items:
    value                           { $$ = (struct ast_value){.kind = AST_LIST};
                                      parse_add_item(p, &$$, $1); }
  | items ',' value                 { $$ = $1; parse_add_item(p, &$$, $3); }
  | items ','                       { $$ = $1; parse_error(p, @2, "a comma stands between two "
                                                           "values, not behind the last"); }
  ;

hash:
    '{' entries '}'                 { $$ = $2; $$.loc = @$; parse_check_keys(p, &$$); }
  | '{' entries error '}'           { $$ = $2; $$.loc = @$; yyerrok; }
  ;

entries:
    %empty                          { $$ = (struct ast_value){.kind = AST_HASH}; }
  | entries entry                   { $$ = $1; parse_add_entry(p, &$$, $2); }
  | entries ','                     { $$ = $1; parse_error(p, @2, "entries of a hash are separated "
                                                           "by white space, not by commas"); }
  ;

entry:
    key ARROW value                 { $$ = $1; $$.entry.value = $3; }
  ;

key:
    STRING                          { $$ = parse_key(parse_word(p, AST_STRING, $1, @1), $1.gap); }
  | WORD                            { $$ = parse_key(parse_word(p, AST_BAREWORD, $1, @1), $1.gap); }
  | INTEGER                         { $$ = parse_key(parse_number(p, $1, @1), $1.gap); }
  | DECIMAL                         { $$ = parse_key(parse_number(p, $1, @1), $1.gap); }
  | NAME                            { $$ = parse_key(parse_word(p, AST_BAREWORD, $1, @1), $1.gap);
                                      parse_error(p, @1, "put quotes around the key: \"%.*s\"",
                                                  STR_ARG($1.text)); }
  ;

branch:
    if
  | if ELSE block                   { $$ = $1; parse_add_arm(p, &$$, (struct parsed_condition){0}, $3, @2); }
  ;

if:
    IF condition block              { $$ = (struct ast_statement){0};
                                      parse_add_arm(p, &$$, $2, $3, @1); }
  | IF error block                  { $$ = (struct ast_statement){0}; yyerrok; }
  | if ELSE IF condition block      { $$ = $1; parse_add_arm(p, &$$, $4, $5, @2); }
  | if ELSE IF error block          { $$ = $1; yyerrok; }
  | if ELSEIF condition block       { $$ = $1; parse_add_arm(p, &$$, $3, $4, @2); }
  | if ELSEIF error block           { $$ = $1; yyerrok; }
  ;

condition:
    expression
  | condition AND condition         { $$ = parse_join(p, AST_AND, $1, $3, @$, @2); }
  | condition OR condition          { $$ = parse_join(p, AST_OR, $1, $3, @$, @2); }
  | condition XOR condition         { $$ = parse_join(p, AST_XOR, $1, $3, @$, @2); }
  | condition NAND condition        { $$ = parse_join(p, AST_NAND, $1, $3, @$, @2); }
  ;

expression:
    '(' condition ')'               { $$ = $2; $$.grouped = true; }
  | '!' '(' condition ')'           { $$ = parse_not(p, $3, @$); }
  | '!' SELECTOR                    { $$ = parse_not(p, parse_truth(p, parse_selector(p, $2, @2)), @$); }
  | '!' LIST_OF_ONE                 { $$ = parse_not(p, parse_truth(p, parse_selector(p, $2, @2)), @$); }
  | left                            { $$ = parse_truth(p, $1); }
  | left IN right                   { $$ = parse_test(p, AST_IN, $1, $3, @$); }
  | left NOT IN right               { $$ = parse_test(p, AST_NOT_IN, $1, $4, @$); }
  | left NOTIN right                { $$ = parse_test(p, AST_NOT_IN, $1, $3, @$); }
  | left comparison right           { $$ = parse_test(p, $2, $1, $3, @$); }
  | left matching pattern           { $$ = parse_test(p, $2, $1, $3, @$); }
  | NOT expression                  { $$ = parse_not(p, $2, @$);
                                      parse_error(p, @1, "\"not\" stands only before \"in\"; "
                                                  "write ![field] or !( … )"); }
  ;

comparison:
    EQ                              { $$ = AST_EQ; }
  | NE                              { $$ = AST_NE; }
  | LT                              { $$ = AST_LT; }
  | LE                              { $$ = AST_LE; }
  | GT                              { $$ = AST_GT; }
  | GE                              { $$ = AST_GE; }
  ;

matching:
    MATCH                           { $$ = AST_MATCH; }
  | NO_MATCH                        { $$ = AST_NO_MATCH; }
  ;

/* In Logstash ["a"] is the field named with its quotes wherever it stands. On the right of an
   operator everybody means a list of one, and lsc takes it for one (docs/differences.md). */
left:
    literal
  | SELECTOR                        { $$ = parse_selector(p, $1, @1); }
  | LIST_OF_ONE                     { $$ = parse_selector(p, $1, @1); }
  ;

right:
    literal
  | SELECTOR                        { $$ = parse_selector(p, $1, @1); }
  | LIST_OF_ONE                     { $$ = parse_operand(parse_list_of_one(p, $1, @1)); }
  ;

literal:
    STRING                          { $$ = parse_operand(parse_word(p, AST_STRING, $1, @1)); }
  | number                          { $$ = parse_operand($1); }
  | list                            { $$ = parse_operand($1); }
  | WORD                            { $$ = parse_operand(parse_word(p, AST_STRING, $1, @1));
                                      parse_error(p, @1, "put quotes around the text: \"%.*s\"",
                                                  STR_ARG($1.text)); }
  | WORD '(' arguments ')'          { $$ = parse_operand(parse_word(p, AST_STRING, $1, @1));
                                      parse_error(p, @1, "there are no functions in conditions"); }
  | REGEX                           { $$ = parse_regex(p, $1, @1);
                                      parse_error(p, @1, "a regular expression stands only behind "
                                                  "\"=~\" or \"!~\""); }
  ;

arguments: %empty | right | arguments ',' right ;

pattern:
    REGEX                           { $$ = parse_regex(p, $1, @1); }
  | STRING                          { $$ = parse_operand(parse_word(p, AST_STRING, $1, @1)); }
  | SELECTOR                        { $$ = parse_selector(p, $1, @1);
                                      parse_error(p, @1, "a regular expression such as /^a/ or a "
                                                  "string stands here, not a field"); }
  ;

%%

static void lsc_yyerror(struct loc *loc, struct parse *p, const char *message)
{
    parse_error(p, *loc, "%s", message);
    p->lost = true;
}

enum { PHRASES_MAX = 10 };

/* The tokens that the grammar would take where it met another one. */
struct expected {
    yysymbol_kind_t kinds[YYNTOKENS];
    int             len;
    const char     *phrases[PHRASES_MAX]; /* the same in the user's words */
    int             phrases_len;
};

static bool takes(const struct expected *e, yysymbol_kind_t kind)
{
    for (int i = 0; i < e->len; i++)
        if (e->kinds[i] == kind) return true;
    return false;
}

static void phrase(struct expected *e, bool wanted, const char *text)
{
    if (wanted && e->phrases_len < PHRASES_MAX) e->phrases[e->phrases_len++] = text;
}

static void find_phrases(struct expected *e)
{
    bool operand = takes(e, YYSYMBOL_SELECTOR), statement = takes(e, YYSYMBOL_IF);
    bool word = takes(e, YYSYMBOL_WORD) && !operand && !statement;
    bool value = word && takes(e, YYTRANSLATE('['));
    bool key = word && !value && takes(e, YYSYMBOL_DECIMAL);
    bool literal = takes(e, YYSYMBOL_INTEGER);

    phrase(e, takes(e, YYSYMBOL_SECTION), "\"input\"");
    phrase(e, takes(e, YYSYMBOL_SECTION), "\"filter\"");
    phrase(e, takes(e, YYSYMBOL_SECTION), "\"output\"");
    phrase(e, statement && takes(e, YYSYMBOL_NAME), "a plugin");
    phrase(e, statement, "\"if\"");
    phrase(e, takes(e, YYSYMBOL_ELSE), "\"else\"");
    phrase(e, value, "a value");
    phrase(e, key, "a key");
    phrase(e, word && !value && !key, "a setting name");
    phrase(e, operand, "a field such as [status]");
    phrase(e, operand && literal, "a string");
    phrase(e, operand && literal, "a number");
    phrase(e, takes(e, YYSYMBOL_REGEX) && !operand, "a regular expression such as /^a/");
    phrase(e, takes(e, YYSYMBOL_REGEX) && !operand, "a string");
    phrase(e, takes(e, YYSYMBOL_EQ), "a comparison");
    phrase(e, takes(e, YYSYMBOL_AND), "\"and\"");
    phrase(e, takes(e, YYSYMBOL_AND), "\"or\"");
    phrase(e, takes(e, YYSYMBOL_ARROW), "\"=>\"");
    phrase(e, takes(e, YYTRANSLATE('(')) && !literal, "\"(\"");
    phrase(e, takes(e, YYTRANSLATE('{')) && !value && !takes(e, YYSYMBOL_ARROW) &&
                  !takes(e, YYTRANSLATE(']')), "\"{\"");
    phrase(e, takes(e, YYTRANSLATE(',')) && takes(e, YYTRANSLATE(']')), "\",\"");
    phrase(e, takes(e, YYTRANSLATE(']')), "\"]\"");
    phrase(e, takes(e, YYTRANSLATE(')')), "\")\"");
    phrase(e, takes(e, YYTRANSLATE('}')), "\"}\"");
}

/* The token as the user sees it, its first line, cut when long. */
static struct str shown(struct loc at)
{
    enum { SHOWN_MAX = 40 };
    struct str  s = {at.source->text.data + at.offset, at.len};
    const char *end = s.len ? memchr(s.data, '\n', s.len) : NULL;

    if (end) s.len = (size_t)(end - s.data);
    s.len = utf8_floor(s, SHOWN_MAX);
    return s;
}

static int line_of(struct loc at)
{
    int line, column;

    loc_position(at, &line, &column);
    return line;
}

/* What begins like a plugin or an if among the settings of another plugin. */
static bool explain_nested(struct parse *p, const struct expected *e)
{
    struct str name = shown(p->before_loc);
    uint32_t   outer = p->depth - (p->last == '{' || p->last == '(' || p->last == '[');
    bool       branch = str_is(name, "if");

    if (!takes(e, YYSYMBOL_ARROW) || outer == 0 || (!branch && p->last != '{')) return false;
    parse_error(p, p->before_loc,
                "expected \"=>\" after \"%.*s\"; %s cannot stand here while the \"{\" on line %d is "
                "open",
                STR_ARG(name), branch ? "an \"if\"" : "a plugin", line_of(p->open[outer - 1].loc));
    p->unbalanced = true;
    return true;
}

/* Mistakes that deserve better than a list of what is expected. */
static bool explain(struct parse *p, const struct expected *e, struct loc at)
{
    bool operator = (p->last >= EQ && p->last <= NO_MATCH) || p->last == IN || p->last == NOT;

    if (tokens_blame_string(p) || explain_nested(p, e)) return true;
    if (p->last == ELSE || p->last == ELSEIF) {
        parse_error(p, at, "this \"else\" has no \"if\" before it");
    } else if (operator&& takes(e, YYSYMBOL_AND)) {
        parse_error(p, at, "a comparison cannot be compared; behind \"!\" it stands in parentheses: "
                           "!([a] == 1)");
    } else if (p->last == '(' && p->before == IN) {
        parse_error(p, at, "a list stands in square brackets: [\"a\", \"b\"]");
    } else if (p->last == '[' && takes(e, YYSYMBOL_WORD) && !takes(e, YYTRANSLATE('['))) {
        parse_error(p, at, "a field is written in quotes here: \"[a][b]\"");
    } else {
        return false;
    }
    return true;
}

/* "expected A, B or C after X, found Y" */
static void report_expected(struct parse *p, const struct expected *e, struct loc at)
{
    struct buf  text = {0};
    const char *quote = p->last == STRING ? "" : "\"";

    for (int i = 0; i < e->phrases_len; i++)
        buf_printf(&text, "%s%s", i == 0 ? "" : i + 1 < e->phrases_len ? ", " : " or ",
                   e->phrases[i]);
    if (e->phrases_len == 1 && p->before_loc.len > 0)
        buf_printf(&text, " after \"%.*s\"", STR_ARG(shown(p->before_loc)));
    if (p->last == END)
        buf_printf(&text, ", found the end of the file");
    else
        buf_printf(&text, ", found %s%.*s%s", quote, STR_ARG(shown(at)), quote);
    parse_error(p, at, "expected %s", buf_cstr(&text));
    buf_release(&text);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct parse *p)
{
    struct expected e = {.len = 0};
    struct loc      at = *yypcontext_location(context);

    e.len = yypcontext_expected_tokens(context, e.kinds, YYNTOKENS);
    find_phrases(&e);
    if (!p->made_up && !explain(p, &e, at)) report_expected(p, &e, at);
    tokens_recover(p, p->last);
    return 0;
}
