/*
 * Conditions: an expression tree whose fields, constants and regexes were resolved when the config
 * was checked.
 *
 * Threads: compiled conditions are constant, but for their counters, which are atomic.
 * Source: EventCondition.java, and the cases in tests/conformance.
 */
#include "program/cond.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "event/json.h"

enum operand_kind {
    OPERAND_FIELD,
    OPERAND_CONSTANT,
    OPERAND_LIST, /* a list written in the config */
    OPERAND_REGEX,
};

struct operand {
    enum operand_kind   kind;
    const struct field *field;
    struct value        value; /* of a constant or list */
    struct regex       *regex;
};

struct expression {
    enum ast_operator  op;
    struct expression *left, *right;
    struct operand     a, b;
};

struct cond {
    struct expression *root;
    struct loc         loc;
    struct log_limit  *limit;
};

/* A comparison that cannot be made spoils the whole condition. */
enum truth { FALSE, TRUE, NO_SENSE };

static atomic_uint_fast64_t failures;

/* ---- compiling ---- */

static bool compile_regex(struct operand *o, struct str pattern, struct loc loc,
                          struct plugin_open *cx)
{
    struct regex_error error;

    o->kind = OPERAND_REGEX;
    o->regex = regex_compile(cx->arena, pattern, 0, &error);
    if (!o->regex)
        diag(cx->diags, DIAG_ERROR, loc, "this regular expression does not work: %s",
             error.message);
    return o->regex != NULL;
}

static bool compile_operand(struct operand *o, const struct ast_operand *ast,
                            struct plugin_open *cx)
{
    const char *problem = NULL;

    switch (ast->kind) {
    case AST_OPERAND_SELECTOR:
        o->kind = OPERAND_FIELD;
        o->field = field_parse(cx->arena, ast->text, &problem, NULL);
        if (!o->field)
            diag(cx->diags, DIAG_ERROR, ast->loc, "\"%.*s\" is not a field reference: %s",
                 STR_ARG(ast->text), problem);
        return o->field != NULL;
    case AST_OPERAND_REGEX:
        return compile_regex(o, ast->text, ast->loc, cx);
    case AST_OPERAND_VALUE:
        o->kind = ast->value.kind == AST_LIST ? OPERAND_LIST : OPERAND_CONSTANT;
        o->value = ast_to_value(cx->arena, &ast->value);
        return true;
    }
    return false;
}

/* On the right of =~ a string is a regex as well. */
static bool compile_pattern(struct operand *o, const struct ast_operand *ast,
                            struct plugin_open *cx)
{
    if (ast->kind == AST_OPERAND_VALUE && ast->value.kind == AST_STRING)
        return compile_regex(o, ast->value.text, ast->loc, cx);
    if (ast->kind == AST_OPERAND_REGEX) return compile_operand(o, ast, cx);
    diag(cx->diags, DIAG_ERROR, ast->loc, "=~ and !~ take /a regular expression/ or a string here");
    return false;
}

static void free_expression(struct expression *e)
{
    if (!e) return;
    free_expression(e->left);
    free_expression(e->right);
    if (e->a.regex) regex_free(e->a.regex);
    if (e->b.regex) regex_free(e->b.regex);
}

static struct expression *compile(const struct ast_condition *ast, struct plugin_open *cx);

static bool compile_parts(struct expression *e, const struct ast_condition *ast,
                          struct plugin_open *cx)
{
    switch (ast->op) {
    case AST_OR:
    case AST_AND:
    case AST_XOR:
    case AST_NAND:
        e->left = compile(ast->left, cx);
        e->right = compile(ast->right, cx);
        return e->left && e->right;
    case AST_NOT:
        e->left = compile(ast->left, cx);
        return e->left != NULL;
    case AST_TRUTH:
        return compile_operand(&e->a, &ast->a, cx);
    case AST_MATCH:
    case AST_NO_MATCH: {
        bool left = compile_operand(&e->a, &ast->a, cx);
        return compile_pattern(&e->b, &ast->b, cx) && left;
    }
    default: {
        bool left = compile_operand(&e->a, &ast->a, cx);
        return compile_operand(&e->b, &ast->b, cx) && left;
    }
    }
}

static struct expression *compile(const struct ast_condition *ast, struct plugin_open *cx)
{
    struct expression *e = arena_zalloc(cx->arena, sizeof(*e));

    e->op = ast->op;
    if (compile_parts(e, ast, cx)) return e;
    free_expression(e);
    return NULL;
}

const struct cond *cond_compile(const struct ast_condition *ast, struct plugin_open *cx)
{
    struct cond *c = arena_zalloc(cx->arena, sizeof(*c));

    c->loc = ast->loc;
    c->limit = arena_zalloc(cx->arena, sizeof(*c->limit));
    c->root = compile(ast, cx);
    return c->root ? c : NULL;
}

void cond_free(const struct cond *c)
{
    if (c) free_expression(c->root);
}

struct str cond_source(const struct cond *c)
{
    if (!c->loc.source) return STR("");
    return (struct str){c->loc.source->text.data + c->loc.offset, c->loc.len};
}

/* ---- evaluating ---- */

/* The operand's value in this event; NULL: a field that is not there. */
static const struct value *operand_value(const struct operand *o, const struct event *ev)
{
    return o->kind == OPERAND_FIELD ? event_get(ev, o->field) : &o->value;
}

/* Missing, null, "", false and the text "false" are false; everything else, 0 too, is true. */
static bool truthy(const struct value *v)
{
    if (!v) return false;
    switch (v->kind) {
    case VALUE_NULL:
        return false;
    case VALUE_BOOL:
        return v->as.b;
    case VALUE_STRING:
        return v->len > 0 && !str_eq(value_str(*v), STR("false"));
    default:
        return true;
    }
}

static bool numeric(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_FLOAT || v->kind == VALUE_NUMBER;
}

static double as_double(const struct value *v)
{
    if (v->kind == VALUE_INT) return (double)v->as.i;
    if (v->kind == VALUE_FLOAT) return v->as.f;
    return strtod(v->as.s, NULL); /* NUMBER: its digits end where the number does */
}

/* Where two values can be put in order: -1, 0 or 1 in *order. */
static bool compare(const struct value *a, const struct value *b, int *order)
{
    if (!a || !b) return false;
    if (a->kind == VALUE_INT && b->kind == VALUE_INT) {
        *order = (a->as.i > b->as.i) - (a->as.i < b->as.i);
        return true;
    }
    if (numeric(a) && numeric(b)) {
        double x = as_double(a), y = as_double(b);
        *order = (x > y) - (x < y);
        return !isnan(x) && !isnan(y);
    }
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        uint32_t shorter = a->len < b->len ? a->len : b->len;
        int      c = shorter ? memcmp(a->as.s, b->as.s, shorter) : 0;
        *order = c ? (c > 0) - (c < 0) : (a->len > b->len) - (a->len < b->len);
        return true;
    }
    if (a->kind == VALUE_TIME && b->kind == VALUE_TIME) {
        *order = a->as.i != b->as.i ? (a->as.i > b->as.i) - (a->as.i < b->as.i)
                                    : (a->len > b->len) - (a->len < b->len);
        return true;
    }
    return false;
}

static enum truth ordered(enum ast_operator op, const struct value *a, const struct value *b)
{
    int order;

    if (!compare(a, b, &order)) return NO_SENSE;
    switch (op) {
    case AST_LT:
        return order < 0 ? TRUE : FALSE;
    case AST_LE:
        return order <= 0 ? TRUE : FALSE;
    case AST_GT:
        return order > 0 ? TRUE : FALSE;
    default:
        return order >= 0 ? TRUE : FALSE;
    }
}

/* Java's equals: 1 and 1.0 differ, as do 1 and "1". */
static bool same(const struct value *a, const struct value *b)
{
    return a->kind == b->kind && value_eq(*a, *b);
}

/* Two fields that are both missing are equal, a missing field and a constant never. A list written
   in the config stands for its first item. */
static bool equal(const struct expression *e, const struct event *ev)
{
    const struct value *a = operand_value(&e->a, ev), *b = operand_value(&e->b, ev);

    if (!a || !b) return e->a.kind == e->b.kind && !a && !b;
    if (e->b.kind == OPERAND_LIST) {
        if (b->as.list->len == 0) return false;
        b = &b->as.list->items[0];
    }
    return same(a, b);
}

static bool matches(const struct expression *e, const struct event *ev)
{
    const struct value *v = operand_value(&e->a, ev);

    return v && v->kind == VALUE_STRING && regex_test(e->b.regex, value_str(*v));
}

/* The text of a scalar; `room` has space for any number or time. data NULL: it is none. */
static struct str scalar_text(const struct value *v, char *room, size_t size)
{
    struct buf b = {.data = room, .cap = size};

    switch (v->kind) {
    case VALUE_STRING:
    case VALUE_NUMBER:
        return value_str(*v);
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_FLOAT:
    case VALUE_TIME:
        value_text(*v, &b);
        return buf_view(&b);
    default:
        return (struct str){0};
    }
}

/* Of a list in the config the items are compared by their text: 200 is in ["200"]. */
static bool in_constants(const struct value *v, const struct list *l)
{
    char       room[128], other[128];
    struct str text = scalar_text(v, room, sizeof(room));

    for (uint32_t i = 0; text.data && i < l->len; i++)
        if (str_eq(text, scalar_text(&l->items[i], other, sizeof(other)))) return true;
    return false;
}

static bool in_list(const struct value *v, const struct list *l)
{
    for (uint32_t i = 0; i < l->len; i++)
        if (same(v, &l->items[i])) return true;
    return false;
}

static bool in(const struct expression *e, const struct event *ev)
{
    const struct value *a = operand_value(&e->a, ev), *b = operand_value(&e->b, ev);

    if (!a || !b) return false;
    if (e->b.kind == OPERAND_LIST) return in_constants(a, b->as.list);
    if (a->kind == VALUE_LIST || a->kind == VALUE_MAP) return false;
    if (b->kind == VALUE_LIST) return in_list(a, b->as.list);
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
        return str_find(value_str(*b), value_str(*a)) >= 0;
    return e->a.kind == OPERAND_FIELD && same(a, b); /* 1 in [a] asks for a list */
}

static enum truth eval(const struct expression *e, const struct event *ev);

static enum truth negate(enum truth t)
{
    return t == NO_SENSE ? NO_SENSE : t == TRUE ? FALSE : TRUE;
}

static enum truth both(const struct expression *e, const struct event *ev)
{
    enum truth left = eval(e->left, ev);

    return left == TRUE ? eval(e->right, ev) : left;
}

static enum truth either(const struct expression *e, const struct event *ev)
{
    enum truth left = eval(e->left, ev);

    return left == FALSE ? eval(e->right, ev) : left;
}

static enum truth differ(const struct expression *e, const struct event *ev)
{
    enum truth left = eval(e->left, ev), right = eval(e->right, ev);

    if (left == NO_SENSE || right == NO_SENSE) return NO_SENSE;
    return left != right ? TRUE : FALSE;
}

static enum truth from_bool(bool b)
{
    return b ? TRUE : FALSE;
}

static enum truth eval(const struct expression *e, const struct event *ev)
{
    switch (e->op) {
    case AST_OR:
        return either(e, ev);
    case AST_AND:
        return both(e, ev);
    case AST_XOR:
        return differ(e, ev);
    case AST_NAND:
        return negate(both(e, ev));
    case AST_NOT:
        return negate(eval(e->left, ev));
    case AST_TRUTH:
        return from_bool(truthy(operand_value(&e->a, ev)));
    case AST_EQ:
        return from_bool(equal(e, ev));
    case AST_NE:
        return from_bool(!equal(e, ev));
    case AST_LT:
    case AST_LE:
    case AST_GT:
    case AST_GE:
        return ordered(e->op, operand_value(&e->a, ev), operand_value(&e->b, ev));
    case AST_MATCH:
        return from_bool(matches(e, ev));
    case AST_NO_MATCH:
        return from_bool(!matches(e, ev));
    case AST_IN:
        return from_bool(in(e, ev));
    case AST_NOT_IN:
        return from_bool(!in(e, ev));
    }
    return FALSE;
}

static void report(const struct cond *c)
{
    uint64_t missed;
    int      line = 0, column = 0;

    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    if (!log_limit_pass(c->limit, &missed)) return;
    if (c->loc.source) loc_position(c->loc, &line, &column);
    log_warn("condition", "this comparison cannot be made for an event, so the condition is false",
             LOG_STR("condition", cond_source(c)),
             LOG_CSTR("file", c->loc.source ? c->loc.source->name : ""), LOG_INT("line", line),
             LOG_INT("column", column), LOG_INT("not_shown", (int64_t)missed));
}

bool cond_eval(const struct cond *c, const struct event *ev)
{
    enum truth t = eval(c->root, ev);

    if (t == NO_SENSE) report(c);
    return t == TRUE;
}

uint64_t cond_failures(void)
{
    return atomic_load(&failures);
}
