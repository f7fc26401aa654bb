#include <errno.h>
#include <stdlib.h>

#include "grammar/parser.h"

void parse_error(struct parse *p, struct loc at, const char *format, ...)
{
    va_list args;

    if (p->lost || p->skipping) return;
    if (p->diags->errors >= PARSE_ERRORS_MAX) p->lost = true;
    va_start(args, format);
    diag_v(p->diags, DIAG_ERROR, at, format, args);
    va_end(args);
}

struct loc parse_span(const struct loc *rhs, int n)
{
    struct loc span = rhs[n ? 1 : 0];

    if (n > 1) span.len = rhs[n].offset + rhs[n].len - span.offset;
    return span;
}

/* ---- texts ---- */

/* The character that a backslash and `c` stand for; 0: the pair stays as it is. */
static char escaped(char c)
{
    switch (c) {
    case '"':
    case '\'':
    case '\\':
        return c;
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* Source: logstash-core/lib/logstash/config/string_escape.rb. */
static struct str undo_escapes(struct arena *a, struct str s)
{
    char  *out = arena_alloc(a, s.len + 1);
    size_t len = 0;

    for (size_t i = 0; i < s.len; i++) {
        char next = s.data[i] == '\\' && i + 1 < s.len ? s.data[i + 1] : 'x';
        if (next == '0' || escaped(next)) {
            out[len++] = escaped(next);
            i++;
        } else {
            out[len++] = s.data[i];
            if (s.data[i] == '\\' && i + 1 < s.len) out[len++] = s.data[++i];
        }
    }
    out[len] = '\0';
    return (struct str){out, len};
}

struct str parse_name(struct parse *p, struct word token)
{
    struct str s = token.text;

    if (s.len < 2 || (s.data[0] != '"' && s.data[0] != '\'')) return s;
    s = (struct str){s.data + 1, s.len - 2};
    if (!p->options->support_escapes || memchr(s.data, '\\', s.len) == NULL) return s;
    return undo_escapes(p->arena, s);
}

struct ast_value parse_word(struct parse *p, enum ast_kind kind, struct word token, struct loc loc)
{
    return (struct ast_value){.kind = kind, .text = parse_name(p, token), .loc = loc};
}

/* An integer as Ruby's Integer() reads it: with a leading zero it is octal. */
static struct str integer_text(struct parse *p, struct str text, struct loc loc)
{
    const char *z = arena_cstr(p->arena, text);
    size_t      digits = z[0] == '-';
    bool        octal = z[digits] == '0' && z[digits + 1];
    char       *end;

    errno = 0;
    long long n = strtoll(z, &end, octal ? 8 : 10);
    if (*end) {
        parse_error(p, loc, "\"%s\" is not a number: digits behind a leading 0 are octal", z);
    } else if (errno == ERANGE) {
        parse_error(p, loc, "this number does not fit into 64 bits");
    } else if (octal) {
        return arena_printf(p->arena, "%lld", n);
    }
    return text;
}

struct ast_value parse_number(struct parse *p, struct word token, struct loc loc)
{
    struct str text = token.text;

    if (memchr(text.data, '.', text.len) == NULL)
        text = integer_text(p, text, loc);
    else if (text.data[text.len - 1] == '.')
        parse_error(p, loc, "digits are missing behind the point");
    return (struct ast_value){.kind = AST_NUMBER, .text = text, .loc = loc};
}

/* ---- values ---- */

/* `items` with room for one more than `len`: their room is doubled at each power of two. */
static void *grow(struct parse *p, void *items, uint32_t len, size_t size)
{
    if (len & (len - 1)) return items;
    void *more = arena_alloc(p->arena, (len ? 2 * (size_t)len : 1) * size);
    return len ? memcpy(more, items, len * size) : more;
}

void parse_add_item(struct parse *p, struct ast_value *list, struct ast_value item)
{
    list->items = grow(p, list->items, list->len, sizeof(*list->items));
    list->items[list->len++] = item;
}

struct ast_value parse_list_of_one(struct parse *p, struct word token, struct loc loc)
{
    struct ast_value list = {.kind = AST_LIST, .loc = loc}, item;
    struct str       s = token.text;
    size_t           from = strcspn(s.data, "\"'0123456789-");
    bool             quoted = s.data[from] == '"' || s.data[from] == '\'';
    size_t           to = s.len - 1;

    while (quoted ? s.data[to - 1] != s.data[from] : !memchr("0123456789.", s.data[to - 1], 11))
        to--;
    token.text = (struct str){s.data + from, to - from};
    struct loc place = {loc.source, loc.offset + (uint32_t)from, (uint32_t)(to - from)};
    item = quoted ? parse_word(p, AST_STRING, token, place) : parse_number(p, token, place);
    parse_add_item(p, &list, item);
    return list;
}

struct ast_value parse_codec(struct parse *p, struct ast_plugin plugin, struct loc loc)
{
    struct ast_plugin *kept = arena_alloc(p->arena, sizeof(*kept));

    *kept = plugin;
    return (struct ast_value){.kind = AST_PLUGIN, .text = plugin.name, .loc = loc, .plugin = kept};
}

struct parsed_entry parse_key(struct ast_value key, enum gap gap)
{
    return (struct parsed_entry){{.key = key}, gap};
}

void parse_add_entry(struct parse *p, struct ast_value *hash, struct parsed_entry parsed)
{
    struct loc at = parsed.entry.key.loc;

    if (hash->len > 0 && parsed.gap == GAP_NONE)
        parse_error(p, at, "white space is missing before this key");
    else if (hash->len > 0 && parsed.gap != GAP_SPACE)
        parse_error(p, at, "no comment may stand between two entries of a hash");
    hash->entries = grow(p, hash->entries, hash->len, sizeof(*hash->entries));
    hash->entries[hash->len++] = parsed.entry;
}

/* A key as written: "a", 'a' and a bare word are different keys to Logstash's check. */
static struct str key_source(const struct ast_entry *e)
{
    struct loc at = e->key.loc;

    return (struct str){at.source->text.data + at.offset, at.len};
}

static int compare_keys(const void *a, const void *b)
{
    const struct ast_entry *x = *(struct ast_entry *const *)a, *y = *(struct ast_entry *const *)b;
    struct str              s = key_source(x), t = key_source(y);
    int                     c = memcmp(s.data, t.data, s.len < t.len ? s.len : t.len);

    if (c == 0 && s.len != t.len) c = s.len < t.len ? -1 : 1;
    return c ? c : (x < y ? -1 : 1);
}

void parse_check_keys(struct parse *p, const struct ast_value *hash)
{
    const struct ast_entry **sorted;

    if (hash->len < 2) return;
    sorted = arena_alloc(p->arena, hash->len * sizeof(struct ast_entry *));
    for (uint32_t i = 0; i < hash->len; i++)
        sorted[i] = &hash->entries[i];
    qsort(sorted, hash->len, sizeof(struct ast_entry *), compare_keys);
    for (uint32_t i = 1; i < hash->len && !p->lost; i++) {
        struct str key = key_source(sorted[i]);
        int        line, column;
        if (!str_eq(key, key_source(sorted[i - 1]))) continue;
        loc_position(sorted[i - 1]->key.loc, &line, &column);
        parse_error(p, sorted[i]->key.loc, "this key stands already on line %d of the same hash",
                    line);
    }
}

/* ---- plugins, branches, sections ---- */

void parse_add_setting(struct parse *p, struct ast_plugin *plugin, struct parsed_setting parsed)
{
    if (plugin->len > 0 && (parsed.gap == GAP_NONE || parsed.gap == GAP_COMMENT))
        parse_error(p, parsed.setting.loc, "white space is missing %s",
                    parsed.gap == GAP_NONE ? "before this setting"
                                           : "between the value before and its comment");
    plugin->settings = grow(p, plugin->settings, plugin->len, sizeof(*plugin->settings));
    plugin->settings[plugin->len++] = parsed.setting;
}

static void add_statement(struct parse *p, struct ast_block *block, struct ast_statement statement)
{
    block->statements = grow(p, block->statements, block->len, sizeof(*block->statements));
    block->statements[block->len++] = statement;
}

void parse_add_plugin(struct parse *p, struct ast_block *block, struct ast_plugin plugin,
                      struct loc loc)
{
    struct ast_plugin *kept = arena_alloc(p->arena, sizeof(*kept));

    *kept = plugin;
    add_statement(p, block, (struct ast_statement){.plugin = kept, .loc = loc});
}

void parse_add_branch(struct parse *p, struct ast_block *block, struct ast_statement branch,
                      struct loc loc)
{
    branch.loc = loc;
    if (branch.len > 0) add_statement(p, block, branch);
}

void parse_add_arm(struct parse *p, struct ast_statement *branch, struct parsed_condition condition,
                   struct ast_block block, struct loc loc)
{
    struct ast_block *kept = arena_alloc(p->arena, sizeof(*kept));

    *kept = block;
    branch->arms = grow(p, branch->arms, branch->len, sizeof(*branch->arms));
    branch->arms[branch->len++] =
        (struct ast_arm){.condition = condition.at, .loc = loc, .block = kept};
}

void parse_add_section(struct parse *p, struct word name, struct loc loc, struct ast_block block)
{
    struct ast_config    *c = p->out;
    enum ast_section_kind kind = name.text.data[0] == 'i'   ? AST_INPUT
                                 : name.text.data[0] == 'f' ? AST_FILTER
                                                            : AST_OUTPUT;

    c->sections = grow(p, c->sections, c->len, sizeof(*c->sections));
    c->sections[c->len++] = (struct ast_section){kind, loc, block};
}

/* ---- conditions ---- */

struct ast_operand parse_selector(struct parse *p, struct word token, struct loc loc)
{
    (void)p;
    return (struct ast_operand){.kind = AST_OPERAND_SELECTOR, .loc = loc, .text = token.text};
}

struct ast_operand parse_regex(struct parse *p, struct word token, struct loc loc)
{
    struct str s = {token.text.data + 1, token.text.len - 2};
    char      *out = arena_alloc(p->arena, s.len + 1);
    size_t     len = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.data[i] == '\\' && i + 1 < s.len && s.data[i + 1] == '/') i++;
        out[len++] = s.data[i];
    }
    return (struct ast_operand){.kind = AST_OPERAND_REGEX, .loc = loc, .text = {out, len}};
}

struct ast_operand parse_operand(struct ast_value value)
{
    return (struct ast_operand){.kind = AST_OPERAND_VALUE, .loc = value.loc, .value = value};
}

static struct parsed_condition new_condition(struct parse *p, struct ast_condition c)
{
    struct parsed_condition parsed = {arena_alloc(p->arena, sizeof(c)), false};

    *parsed.at = c;
    if (++p->parts == PARSE_CONDITION_MAX + 1) {
        parse_error(p, c.loc, "a condition has at most %d parts", (int)PARSE_CONDITION_MAX);
        p->lost = true;
    }
    return parsed;
}

struct parsed_condition parse_truth(struct parse *p, struct ast_operand a)
{
    return new_condition(p, (struct ast_condition){.op = AST_TRUTH, .loc = a.loc, .a = a});
}

struct parsed_condition parse_test(struct parse *p, enum ast_operator op, struct ast_operand a,
                                   struct ast_operand b, struct loc loc)
{
    return new_condition(p, (struct ast_condition){.op = op, .loc = loc, .a = a, .b = b});
}

/* A text by itself is always true: on one side of an "or" it is half of a forgotten comparison,
   with which Logstash does not start. */
static void check_side(struct parse *p, struct parsed_condition side)
{
    const struct ast_condition *c = side.at;

    if (c->op == AST_TRUTH && c->a.kind == AST_OPERAND_VALUE && !side.grouped)
        parse_error(p, c->loc,
                    "this is always true; a comparison such as [field] == \"text\" is "
                    "written out on both sides");
}

static bool is_odd(enum ast_operator op)
{
    return op == AST_XOR || op == AST_NAND;
}

struct parsed_condition parse_join(struct parse *p, enum ast_operator op,
                                   struct parsed_condition left, struct parsed_condition right,
                                   struct loc loc, struct loc op_loc)
{
    bool left_joined = !left.grouped && left.at->op <= AST_NAND;
    bool right_joined = !right.grouped && right.at->op <= AST_NAND;

    if ((is_odd(op) && (left_joined || right_joined)) || (left_joined && is_odd(left.at->op)) ||
        (right_joined && is_odd(right.at->op)))
        parse_error(p, op_loc,
                    "\"xor\" and \"nand\" go together with further operators only in "
                    "parentheses");
    check_side(p, left);
    check_side(p, right);
    return new_condition(
        p, (struct ast_condition){.op = op, .loc = loc, .left = left.at, .right = right.at});
}

struct parsed_condition parse_not(struct parse *p, struct parsed_condition of, struct loc loc)
{
    return new_condition(p, (struct ast_condition){.op = AST_NOT, .loc = loc, .left = of.at});
}
