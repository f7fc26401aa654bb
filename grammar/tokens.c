/*
 * Between lexer and grammar: follows the brackets, so that the lexer knows what a word means, so
 * that a missing bracket is reported where it was opened, and so that the parser finds its way
 * after an error.
 */
#include "grammar/logstash.h"
#include "grammar/parser.h"

/* ---- looking ahead in the text ---- */

/* Where the next token begins, blanks and comments skipped. */
static struct str text_ahead(const struct parse *p)
{
    struct str s = str_from(p->source->text, p->offset);

    while (s.len > 0 && memchr(" \t\r\n#", s.data[0], 5)) {
        const char *end = s.data[0] == '#' ? memchr(s.data, '\n', s.len) : s.data;
        s = end ? str_from(s, (size_t)(end - s.data) + (s.data[0] != '#')) : str_from(s, s.len);
    }
    return s;
}

/* No plugin or setting is called input, filter or output and followed by a brace. */
static bool begins_section(const struct parse *p, struct str word)
{
    struct str ahead;

    if (!str_is(word, "input") && !str_is(word, "filter") && !str_is(word, "output")) return false;
    ahead = text_ahead(p);
    return p->last != ARROW && ahead.len > 0 && ahead.data[0] == '{';
}

/* "else [a] == 1 {": an "if" was forgotten. */
static bool lacks_if(const struct parse *p)
{
    struct str ahead = text_ahead(p);

    return ahead.len > 0 && memchr("[(!\"'", ahead.data[0], 5);
}

/* ---- brackets ---- */

static void push(struct parse *p, char kind, struct loc loc, enum lexer_state back)
{
    p->open[p->depth++] = (struct bracket){kind, back, loc};
    if (kind == '{') p->braces++;
}

static struct bracket pop(struct parse *p)
{
    struct bracket b = p->open[--p->depth];

    if (b.kind == '{') p->braces--;
    lexer_set_state(p, b.back);
    return b;
}

/* Forgets [ and ( that were not closed before the { or } that now comes. */
static void pop_to_brace(struct parse *p)
{
    while (p->depth > 0 && p->open[p->depth - 1].kind != '{')
        pop(p);
}

static void open_brace(struct parse *p, struct loc loc)
{
    enum lexer_state state = lexer_state(p), back = state, inner = LEXER_BODY;

    if (p->in_condition) {
        pop_to_brace(p);
        back = LEXER_BODY;
        p->in_condition = false;
        p->begins_body = true;
    } else if (state == LEXER_VALUES || (state == LEXER_BODY && p->last != ELSE)) {
        inner = LEXER_VALUES;
    }
    push(p, '{', loc, back);
    lexer_set_state(p, inner);
}

enum { INDENT_LOOK_BACK = 1000 }; /* bytes; so that one endless line does not cost its square */

/* Blanks before `at` when nothing else stands before it on its line; else -1. */
static int indent_before(struct loc at)
{
    const char *text = at.source->text.data, *here = text + at.offset, *p = here;

    while (p > text && (p[-1] == ' ' || p[-1] == '\t'))
        p--;
    return p == text || p[-1] == '\n' ? (int)(here - p) : -1;
}

/* Blanks at the start of the line of `at`. */
static int indent_of_line(struct loc at)
{
    const char *text = at.source->text.data, *start = text + at.offset;

    for (int i = 0; i < INDENT_LOOK_BACK && start > text && start[-1] != '\n'; i++)
        start--;
    return (int)strspn(start, " \t"); /* `at` is no blank, so it ends there */
}

/* A } at the start of a line that is indented less than the line of its {: most likely it was
   meant for an outer one, and this one lacks its own. */
static void notice_indent(struct parse *p, struct loc opened, struct loc closed)
{
    int indent = indent_before(closed);

    if (indent >= 0 && !p->odd.source && indent < indent_of_line(opened)) p->odd = opened;
    if (p->depth == 0) p->odd.source = NULL;
}

/* False for a } that closes nothing. */
static bool close_brace(struct parse *p, struct loc loc)
{
    pop_to_brace(p);
    p->in_condition = false;
    if (p->depth == 0) {
        parse_error(p, loc, "this \"}\" closes nothing");
        return false;
    }
    notice_indent(p, pop(p).loc, loc);
    return true;
}

static void open_bracket(struct parse *p, char kind, struct loc loc)
{
    push(p, kind, loc, lexer_state(p));
    if (kind == '[') lexer_set_state(p, LEXER_VALUES);
}

static void close_bracket(struct parse *p, char opened)
{
    if (p->depth > 0 && p->open[p->depth - 1].kind == opened) pop(p);
}

/* ---- what the text left open ---- */

/* Keeps `token` until the brackets are closed. */
static void hold(struct parse *p, int token, const LSC_YYSTYPE *value, struct loc loc)
{
    p->holding = true;
    p->held = token;
    p->held_word = value->word;
    p->held_loc = loc;
}

static void report_unclosed(struct parse *p, int token, struct loc loc)
{
    const char *what =
        p->odd.source ? "this \"{\" seems not to be closed" : "this \"{\" is not closed";
    struct loc at;
    int        line, column;

    pop_to_brace(p);
    if (p->depth == 0 || p->unbalanced) return;
    p->skipping = false;
    at = p->odd.source ? p->odd : p->open[p->depth - 1].loc;
    p->odd.source = NULL;
    loc_position(loc, &line, &column);
    if (token == END)
        parse_error(p, at, "%s before the file ends", what);
    else
        parse_error(p, at, "%s before the next section begins on line %d", what, line);
}

/* A } for each that is missing, then the token held back. */
static int made_up_token(struct parse *p, LSC_YYSTYPE *value, struct loc *loc)
{
    pop_to_brace(p);
    *loc = p->held_loc;
    p->in_condition = false;
    p->made_up = p->depth > 0;
    if (p->made_up) {
        pop(p);
        return '}';
    }
    p->holding = false;
    p->unbalanced = false;
    value->word = p->held_word;
    lexer_set_state(p, LEXER_TOP);
    return p->held;
}

bool tokens_blame_string(struct parse *p)
{
    struct loc end = p->glued;
    int        line, column;

    if (!end.source) return false;
    end.offset += end.len;
    loc_position(end, &line, &column);
    parse_error(p, p->glued, "this string ends only on line %d; is a quote missing before that?",
                line);
    p->lost = true;
    return true;
}

/* Where a quote is missing, what should be a string and what should not change places: a string
   then goes over the end of its line, up to the quote that begins the next one. */
static void notice_glued(struct parse *p, int token)
{
    struct loc string = p->last_loc;
    bool       word = token == WORD || token == NAME || token == INTEGER || token == STRING;

    if (p->glued.source || p->last != STRING || p->gap != GAP_NONE || !word) return;
    if (memchr(p->source->text.data + string.offset, '\n', string.len)) p->glued = string;
}

int tokens_unclosed(struct parse *p, const char *what, struct loc loc)
{
    struct str text = {p->source->text.data + loc.offset, loc.len};
    char       quote[] = {'\\', text.data[0], '\0'};

    loc.len = 1;
    p->skipping = false;
    if (tokens_blame_string(p)) return END;
    if (str_find(text, str_of(quote)) >= 0)
        parse_error(p, loc, "this %s is not closed; a %c behind a backslash does not end it", what,
                    text.data[0]);
    else
        parse_error(p, loc, "this %s is not closed", what);
    p->lost = true;
    return END;
}

int tokens_curly(struct parse *p, LSC_YYSTYPE *value, struct loc loc)
{
    enum { CURLY = 3 };
    struct str s = {p->source->text.data + loc.offset, loc.len};
    bool       straight = s.len > CURLY && (s.data[s.len - 1] == '"' || s.data[s.len - 1] == '\'');

    s = str_from(s, CURLY);
    if (s.len > 0) s.len -= straight ? 1 : CURLY;
    value->word = (struct word){s, p->gap};
    return STRING;
}

/* ---- the tokens ---- */

static bool too_deep(struct parse *p, struct loc loc)
{
    if (p->depth < PARSE_DEPTH_MAX) return false;
    parse_error(p, loc, "brackets are nested more than %d deep", (int)PARSE_DEPTH_MAX);
    p->lost = true;
    return true;
}

static int begin_condition(struct parse *p, int token)
{
    p->in_condition = true;
    p->parts = 0;
    lexer_set_state(p, LEXER_CONDITION);
    return token;
}

/* A { behind a [ that is open in a condition begins the body, though a list may hold a hash: the
   parser gets an error token first, so that it takes the { for what it is. */
static int unclosed_list(struct parse *p, struct loc loc)
{
    parse_error(p, p->open[p->depth - 1].loc, "this \"[\" is not closed");
    p->made_up = true;
    p->brace_waits = true;
    p->brace_loc = loc;
    return UNCLOSED;
}

/* Follows the brackets. Returns the token to hand out, or -1 to read on. */
static int follow(struct parse *p, int token, LSC_YYSTYPE *value, struct loc loc)
{
    switch (token) {
    case '{':
    case '[':
    case '(':
        if (too_deep(p, loc)) return END;
        if (token == '{' && p->in_condition && p->depth > 0 && p->open[p->depth - 1].kind == '[')
            return unclosed_list(p, loc);
        if (token == '{')
            open_brace(p, loc);
        else
            open_bracket(p, (char)token, loc);
        return token;
    case '}':
        return close_brace(p, loc) ? token : -1;
    case ']':
        close_bracket(p, '[');
        return token;
    case ')':
        close_bracket(p, '(');
        return token;
    case IF:
    case ELSEIF:
        return begin_condition(p, token);
    case ELSE:
        if (!lacks_if(p)) return token;
        parse_error(p, loc, "an \"else\" with a condition is written \"else if\"");
        return begin_condition(p, ELSEIF);
    case NAME:
    case WORD:
        if (p->depth == 0 || !begins_section(p, value->word.text)) return token;
        token = SECTION;
        break;
    default:
        if (token != END || p->depth == 0) return token;
    }
    report_unclosed(p, token, loc);
    hold(p, token, value, loc);
    return -1;
}

static int next_token(struct parse *p, LSC_YYSTYPE *value, struct loc *loc)
{
    int token;

    p->begins_body = false;
    p->made_up = false;
    do {
        if (p->holding) return made_up_token(p, value, loc);
        if (p->brace_waits) {
            p->brace_waits = false;
            *loc = p->brace_loc;
            open_brace(p, *loc);
            return '{';
        }
        p->gap = p->last == ',' ? GAP_SPACE : GAP_NONE;
        token = p->lost ? END : lexer_scan(value, loc, p->scanner);
        if (token == END) *loc = (struct loc){p->source, p->offset, 0};
        token = follow(p, token, value, *loc);
    } while (token < 0);
    return token;
}

/* ---- after an error ---- */

void tokens_recover(struct parse *p, int token)
{
    if (token == '}' || token == END || token == SECTION || p->begins_body) return;
    p->skipping = true;
    p->skip_to_body = p->in_condition;
    p->skip_braces = p->braces - (token == '{');
}

static bool ends_skipping(const struct parse *p, int token)
{
    if (token == END || token == SECTION) return true;
    if (token == '}') return p->braces < p->skip_braces;
    return token == '{' && p->skip_to_body && p->begins_body && p->braces == p->skip_braces + 1;
}

int lsc_yylex(LSC_YYSTYPE *value, struct loc *loc, struct parse *p)
{
    int token;

    do {
        token = next_token(p, value, loc);
        notice_glued(p, token);
        p->before = p->last;
        p->before_loc = p->last_loc;
        p->last = token;
        p->last_loc = *loc;
        if (p->skipping && ends_skipping(p, token)) p->skipping = false;
    } while (p->skipping);
    return token;
}
