/*
 * Conditions: compiled to a tree in which fields, constants and regexes are resolved.
 *
 * Source: logstash-core/src/main/java/org/logstash/config/ir/compiler/EventCondition.java.
 * Threads: a compiled condition is constant. The counter and the log limit are atomic.
 */
#include "program/cond.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "event/time.h"

/* An item of a literal list. `in` compares text forms: 200 is in ["200"]. So that no event is
   turned into text for that, an item whose text is a number's own is compared as a number, too. */
struct choice {
    struct str text;
    bool       is_int, is_float;
    int64_t    i;
    double     f;
};

struct choices {
    uint32_t      len;
    struct choice at[];
};

/* One side of a comparison. */
struct operand {
    const struct field   *field; /* NULL: a constant */
    bool                  top;   /* the field is `key` of the event itself */
    struct key            key;
    struct value          constant;
    const struct choices *choices; /* of a literal list */
};

struct node {
    enum ast_operator  op;
    const struct node *left, *right;
    struct operand     a, b;
    struct regex      *regex;
    struct node       *next_regex; /* all nodes with a regex, for cond_free() */
};

struct cond {
    const struct node *root;
    struct node       *regexes;
    struct loc         loc;
    struct log_limit  *limit;
};

/* ---- values ---- */

static bool same(const struct value *a, const struct value *b);

static bool same_lists(const struct list *a, const struct list *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++)
        if (!same(&a->items[i], &b->items[i])) return false;
    return true;
}

static bool same_maps(const struct map *a, const struct map *b)
{
    if (a->len != b->len) return false;
    for (uint32_t i = 0; i < a->len; i++) {
        const struct value *v = map_get(b, a->members[i].key);
        if (!v || !same(&a->members[i].value, v)) return false;
    }
    return true;
}

/* Equal as conditions have it: 1 and 1.0 differ, unlike in value_eq(). */
static bool same(const struct value *a, const struct value *b)
{
    if (a->kind != b->kind) return false;
    switch (a->kind) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->as.b == b->as.b;
    case VALUE_INT:
        return a->as.i == b->as.i;
    case VALUE_FLOAT:
        return a->as.f == b->as.f;
    case VALUE_TIME:
        return a->as.i == b->as.i && a->len == b->len;
    case VALUE_LIST:
        return same_lists(a->as.list, b->as.list);
    case VALUE_MAP:
        return same_maps(a->as.map, b->as.map);
    default:
        return a->len == b->len && memcmp(a->as.s, b->as.s, a->len) == 0;
    }
}

/* The bare [field]: false is what is missing, null, "", false or the string "false". */
static bool truth(const struct value *v)
{
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

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_FLOAT || v->kind == VALUE_NUMBER;
}

/* Exact enough to order what no int64_t holds. */
static long double as_number(const struct value *v)
{
    char digits[64];

    if (v->kind == VALUE_INT) return (long double)v->as.i;
    if (v->kind == VALUE_FLOAT) return (long double)v->as.f;
    if (v->len >= sizeof(digits)) return v->as.s[0] == '-' ? -INFINITY : INFINITY;
    memcpy(digits, v->as.s, v->len);
    digits[v->len] = '\0';
    return strtold(digits, NULL);
}

static int sign(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int order_strings(const struct value *a, const struct value *b)
{
    uint32_t len = a->len < b->len ? a->len : b->len;
    int      c = len > 0 ? memcmp(a->as.s, b->as.s, len) : 0;

    return c ? c : sign(a->len, b->len);
}

/* Orders numbers with numbers, strings with strings, times with times. False: there is no order. */
static bool order(const struct value *a, const struct value *b, int *out)
{
    if (a->kind == VALUE_INT && b->kind == VALUE_INT) {
        *out = sign(a->as.i, b->as.i);
    } else if (is_number(a) && is_number(b)) {
        long double x = as_number(a), y = as_number(b);
        *out = (x > y) - (x < y);
    } else if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        *out = order_strings(a, b);
    } else if (a->kind == VALUE_TIME && b->kind == VALUE_TIME) {
        *out = a->as.i != b->as.i ? sign(a->as.i, b->as.i) : sign(a->len, b->len);
    } else {
        return false;
    }
    return true;
}

/* ---- evaluation ---- */

/* FAILED: a comparison could not be made; it makes the whole condition false. */
enum outcome { NO, YES, FAILED };

static const struct value null_value = {.kind = VALUE_NULL};

/* NULL: the event has no such field. */
static inline const struct value *fetch(const struct operand *o, const struct event *ev)
{
    if (o->top) return map_get(&ev->data, o->key);
    if (o->field) return event_get(ev, o->field);
    return &o->constant;
}

static inline const struct value *fetch_or_null(const struct operand *o, const struct event *ev)
{
    const struct value *v = fetch(o, ev);

    return v ? v : &null_value;
}

static bool choice_is(const struct choice *choice, const struct value *v)
{
    char   text[40];
    size_t len;

    switch (v->kind) {
    case VALUE_STRING:
    case VALUE_NUMBER:
        return str_eq(value_str(*v), choice->text);
    case VALUE_INT:
        return choice->is_int && choice->i == v->as.i;
    case VALUE_FLOAT:
        return choice->is_float && choice->f == v->as.f;
    case VALUE_BOOL:
        return str_eq(v->as.b ? STR("true") : STR("false"), choice->text);
    case VALUE_TIME:
        len = time_print(value_timestamp(*v), text);
        return str_eq((struct str){text, len}, choice->text);
    default:
        return false;
    }
}

static bool in_choices(const struct value *v, const struct choices *choices)
{
    for (uint32_t i = 0; i < choices->len; i++)
        if (choice_is(&choices->at[i], v)) return true;
    return false;
}

static bool in_list(const struct value *v, const struct list *l)
{
    for (uint32_t i = 0; i < l->len; i++)
        if (same(v, &l->items[i])) return true;
    return false;
}

static bool contains(const struct node *n, const struct event *ev)
{
    const struct value *a = fetch(&n->a, ev), *b = fetch(&n->b, ev);

    if (!a || !b) return false;
    if (n->b.choices) return in_choices(a, n->b.choices);
    if (a->kind == VALUE_LIST || a->kind == VALUE_MAP) return false;
    if (b->kind == VALUE_LIST) return in_list(a, b->as.list);
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING)
        return str_find(value_str(*b), value_str(*a)) >= 0;
    /* A field of one value counts as a list of one, but only for fields. */
    return n->a.field && n->b.field && a->kind != VALUE_NULL && same(a, b);
}

/* A literal list stands for its first item, as in Logstash. */
static bool equals(const struct node *n, const struct event *ev)
{
    const struct value *a = fetch_or_null(&n->a, ev), *b = fetch_or_null(&n->b, ev);

    if (n->b.choices) return b->as.list->len > 0 && same(a, &b->as.list->items[0]);
    return same(a, b);
}

static bool matches(const struct node *n, const struct event *ev)
{
    const struct value *a = fetch(&n->a, ev);

    return a && a->kind == VALUE_STRING && regex_test(n->regex, value_str(*a));
}

static enum outcome compare(const struct node *n, const struct event *ev)
{
    const struct value *a = fetch(&n->a, ev), *b = fetch(&n->b, ev);
    int                 c;

    if (!a || !b || !order(a, b, &c)) return FAILED;
    switch (n->op) {
    case AST_LT:
        return c < 0 ? YES : NO;
    case AST_LE:
        return c <= 0 ? YES : NO;
    case AST_GT:
        return c > 0 ? YES : NO;
    default:
        return c >= 0 ? YES : NO;
    }
}

static enum outcome opposite(enum outcome o)
{
    return o == FAILED ? FAILED : o == YES ? NO : YES;
}

/* As deep as the condition: PARSE_DEPTH_MAX and PARSE_CONDITION_MAX of grammar/parser.h. */
static enum outcome evaluate(const struct node *n, const struct event *ev)
{
    enum outcome left, right;

    switch (n->op) {
    case AST_EQ:
        return equals(n, ev) ? YES : NO;
    case AST_NE:
        return equals(n, ev) ? NO : YES;
    case AST_IN:
        return contains(n, ev) ? YES : NO;
    case AST_NOT_IN:
        return contains(n, ev) ? NO : YES;
    case AST_MATCH:
        return matches(n, ev) ? YES : NO;
    case AST_NO_MATCH:
        return matches(n, ev) ? NO : YES;
    case AST_TRUTH:
        return truth(fetch_or_null(&n->a, ev)) ? YES : NO;
    case AST_NOT:
        return opposite(evaluate(n->left, ev));
    case AST_AND:
    case AST_NAND:
        left = evaluate(n->left, ev);
        if (left == YES) left = evaluate(n->right, ev);
        return n->op == AST_AND ? left : opposite(left);
    case AST_OR:
        left = evaluate(n->left, ev);
        return left == NO ? evaluate(n->right, ev) : left;
    case AST_XOR:
        left = evaluate(n->left, ev);
        right = evaluate(n->right, ev);
        if (left == FAILED || right == FAILED) return FAILED;
        return left != right ? YES : NO;
    default:
        return compare(n, ev);
    }
}

static _Atomic uint64_t failures;

uint64_t cond_failures(void)
{
    return atomic_load_explicit(&failures, memory_order_relaxed);
}

struct str cond_source(const struct cond *c)
{
    if (!c->loc.source) return STR("");
    return (struct str){c->loc.source->text.data + c->loc.offset, c->loc.len};
}

static void report_failure(const struct cond *c)
{
    uint64_t missed;
    int      line = 0, column = 0;

    atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
    if (!log_limit_pass(c->limit, &missed)) return;
    if (c->loc.source) loc_position(c->loc, &line, &column);
    log_warn("condition", "a comparison cannot be made for an event, so the condition is false",
             LOG_STR("condition", cond_source(c)),
             LOG_CSTR("file", c->loc.source ? c->loc.source->name : ""), LOG_INT("line", line),
             LOG_INT("column", column), LOG_INT("not_shown", (int64_t)missed));
}

bool cond_eval(const struct cond *c, const struct event *ev)
{
    enum outcome o = evaluate(c->root, ev);

    if (o == FAILED) report_failure(c);
    return o == YES;
}

/* ---- compiling ---- */

struct compiler {
    struct plugin_open *cx;
    struct cond        *cond;
    bool                ok;
};

static void fail(struct compiler *c, struct loc at, const char *message)
{
    diag(c->cx->diags, DIAG_ERROR, at, "%s", message);
    c->ok = false;
}

static void compile_field(struct compiler *c, const struct ast_operand *o, struct operand *out)
{
    const char *problem = "";
    size_t      at = 0;

    out->field = field_parse(c->cx->arena, o->text, &problem, &at);
    if (!out->field) {
        diag(c->cx->diags, DIAG_ERROR, o->loc, "\"%.*s\" is not a field reference: %s",
             STR_ARG(o->text), problem);
        c->ok = false;
        return;
    }
    out->top = !out->field->metadata && out->field->depth == 1;
    if (out->top) out->key = out->field->steps[0].key;
}

static struct choice make_choice(struct arena *a, struct value v)
{
    struct choice choice = {.text = STR("")};
    struct buf    text = {0}, canonical = {0};
    char         *end;

    value_text(v, &text);
    choice.text = arena_copy(a, buf_view(&text));
    const char *z = choice.text.data;
    choice.i = strtoll(z, &end, 10);
    if (*end == '\0' && end != z) {
        value_text(value_int(choice.i), &canonical);
        choice.is_int = str_eq(buf_view(&canonical), choice.text);
    }
    choice.f = strtod(z, &end);
    if (*end == '\0' && end != z) {
        buf_clear(&canonical);
        value_text(value_float(choice.f), &canonical);
        choice.is_float = str_eq(buf_view(&canonical), choice.text);
    }
    buf_release(&text);
    buf_release(&canonical);
    return choice;
}

/* A list inside the list equals no text, so it is left out. */
static const struct choices *make_choices(struct arena *a, const struct list *l)
{
    struct choices *choices = arena_alloc(a, sizeof(*choices) + l->len * sizeof(struct choice));

    choices->len = 0;
    for (uint32_t i = 0; i < l->len; i++)
        if (l->items[i].kind != VALUE_LIST)
            choices->at[choices->len++] = make_choice(a, l->items[i]);
    return choices;
}

static void compile_operand(struct compiler *c, const struct ast_operand *o, struct operand *out)
{
    if (o->kind == AST_OPERAND_SELECTOR) {
        compile_field(c, o, out);
    } else if (o->kind == AST_OPERAND_VALUE) {
        out->constant = ast_to_value(c->cx->arena, &o->value);
        if (out->constant.kind == VALUE_LIST)
            out->choices = make_choices(c->cx->arena, out->constant.as.list);
    }
}

static void compile_regex(struct compiler *c, const struct ast_operand *o, struct node *n)
{
    struct str         pattern = o->kind == AST_OPERAND_REGEX ? o->text : o->value.text;
    struct regex_error error;
    struct loc         at = o->loc;

    n->regex = regex_compile(c->cx->arena, pattern, 0, &error);
    if (n->regex) {
        n->next_regex = c->cond->regexes;
        c->cond->regexes = n;
        return;
    }
    if (error.offset + 1 < at.len) {
        at.offset += (uint32_t)error.offset + 1;
        at.len = 1;
    }
    diag(c->cx->diags, DIAG_ERROR, at, "the regular expression is not valid: %s", error.message);
    c->ok = false;
}

static bool is_ordering(enum ast_operator op)
{
    return op == AST_LT || op == AST_LE || op == AST_GT || op == AST_GE;
}

static void compile_test(struct compiler *c, const struct ast_condition *ast, struct node *n)
{
    compile_operand(c, &ast->a, &n->a);
    if (n->a.choices) fail(c, ast->a.loc, "a list stands only on the right of an operator");
    if (ast->op == AST_TRUTH) return;
    if (ast->op == AST_MATCH || ast->op == AST_NO_MATCH) {
        compile_regex(c, &ast->b, n);
        return;
    }
    compile_operand(c, &ast->b, &n->b);
    if (n->b.choices && is_ordering(ast->op))
        fail(c, ast->b.loc, "a list is neither smaller nor greater than a value; use \"in\"");
}

static const struct node *compile(struct compiler *c, const struct ast_condition *ast)
{
    struct node *n = arena_zalloc(c->cx->arena, sizeof(*n));

    n->op = ast->op;
    if (ast->left) n->left = compile(c, ast->left);
    if (ast->right) n->right = compile(c, ast->right);
    if (!ast->left) compile_test(c, ast, n);
    return n;
}

const struct cond *cond_compile(const struct ast_condition *ast, struct plugin_open *cx)
{
    struct cond    *cond = arena_zalloc(cx->arena, sizeof(*cond));
    struct compiler c = {cx, cond, true};

    cond->loc = ast->loc;
    cond->limit = arena_zalloc(cx->arena, sizeof(*cond->limit));
    cond->root = compile(&c, ast);
    if (c.ok) return cond;
    cond_free(cond);
    return NULL;
}

void cond_free(const struct cond *c)
{
    for (struct node *n = c ? c->regexes : NULL; n; n = n->next_regex)
        regex_free(n->regex);
}
