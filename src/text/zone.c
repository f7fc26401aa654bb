#include "text/zone.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fatal.h"
#include "text/zone_rules.h"

/* ---- TZif files (RFC 8536) ---- */

enum { HEADER_LEN = 44, FILE_MAX = 1 << 20 };

struct header {
    uint32_t isut, isstd, leap, times, types, chars;
};

static uint32_t get32(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t get64(const char *p)
{
    return (int64_t)((uint64_t)get32(p) << 32 | get32(p + 4));
}

static bool read_header(struct str s, struct header *h)
{
    if (s.len < HEADER_LEN || memcmp(s.data, "TZif", 4) != 0) return false;
    *h = (struct header){get32(s.data + 20), get32(s.data + 24), get32(s.data + 28),
                         get32(s.data + 32), get32(s.data + 36), get32(s.data + 40)};
    return (h->isut | h->isstd | h->leap | h->times | h->types | h->chars) < FILE_MAX;
}

static size_t block_len(const struct header *h, size_t time_size)
{
    return (size_t)h->times * (time_size + 1) + (size_t)h->types * 6 + h->chars +
           (size_t)h->leap * (time_size + 4) + h->isstd + h->isut;
}

/* The 64-bit block at `p`, which is whole. */
static struct zone_rules *read_block(const char *p, const struct header *h)
{
    struct zone_rules *r = xcalloc(1, sizeof(*r));
    int64_t           *at = xcalloc(h->times + 1, sizeof(*at));
    int32_t           *offset = xcalloc(h->times + 1, sizeof(*offset));
    const char        *index = p + (size_t)h->times * 8, *types = index + h->times;
    bool               good = h->types > 0;

    r->at = at;
    r->offset = offset;
    r->len = h->times;
    for (uint32_t i = 0; good && i < h->times; i++) {
        unsigned char type = (unsigned char)index[i];
        at[i] = get64(p + (size_t)i * 8);
        good = type < h->types && (i == 0 || at[i] > at[i - 1]);
        if (good) offset[i] = (int32_t)get32(types + (size_t)type * 6);
    }
    if (good) {
        r->first = (int32_t)get32(types);
        return r;
    }
    zone_rules_free(r);
    return NULL;
}

const struct zone_rules *zone_rules_parse(struct str file)
{
    struct header h;

    /* Version 1 holds 32-bit times first; the block that counts stands behind it. */
    if (!read_header(file, &h) || file.data[4] < '2') return NULL;
    struct str rest = str_from(file, HEADER_LEN + block_len(&h, 4));
    if (!read_header(rest, &h)) return NULL;
    size_t end = HEADER_LEN + block_len(&h, 8);
    if (end > rest.len) return NULL;

    struct zone_rules *r = read_block(rest.data + HEADER_LEN, &h);
    struct str         footer = str_from(rest, end);
    if (r && footer.len > 2 && footer.data[0] == '\n' && footer.data[footer.len - 1] == '\n')
        if (!zone_footer_parse((struct str){footer.data + 1, footer.len - 2}, &r->footer))
            r->footer = (struct zone_footer){.given = false};
    return r;
}

void zone_rules_free(const struct zone_rules *r)
{
    if (!r) return;
    free((void *)(uintptr_t)r->at);
    free((void *)(uintptr_t)r->offset);
    free((void *)(uintptr_t)r);
}

static const struct zone_rules *read_file(const char *path)
{
    int         fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    struct buf  text = {0};

    if (fd < 0) return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 && st.st_size < FILE_MAX) {
        ssize_t n = read(fd, buf_room(&text, (size_t)st.st_size), (size_t)st.st_size);
        text.len = n > 0 ? (size_t)n : 0;
    }
    close(fd);
    const struct zone_rules *r = zone_rules_parse(buf_view(&text));
    buf_release(&text);
    return r;
}

/* ---- the names ---- */

struct entry {
    char *name;
    /* NULL: not read yet; &not_a_zone: cannot be read. */
    _Atomic(const struct zone_rules *) rules;
};

static const struct zone_rules not_a_zone;
static pthread_once_t          names_once = PTHREAD_ONCE_INIT;
static struct {
    struct entry *at;
    size_t        len, cap;
    const char   *folder;
} zones;

enum { NAME_MAX_LEN = 64, DEPTH_MAX = 3 };

static void add_name(const char *name)
{
    if (zones.len == zones.cap) {
        zones.cap = zones.cap ? 2 * zones.cap : 1024;
        zones.at = xrealloc(zones.at, zones.cap * sizeof(*zones.at));
    }
    size_t size = strlen(name) + 1;
    zones.at[zones.len].name = memcpy(xcalloc(1, size), name, size);
    atomic_init(&zones.at[zones.len].rules, NULL);
    zones.len++;
}

/* Other views of the same zones, and files that Joda has no zone for. */
static bool is_hidden(const char *name)
{
    static const char *const hidden[] = {"posix", "right", "posixrules", "localtime", "Factory"};

    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
        if (strcmp(name, hidden[i]) == 0) return true;
    return name[0] == '.' || strchr(name, '.') != NULL;
}

static void add_folder(const char *path, const char *prefix, int depth)
{
    DIR *d = opendir(path);

    if (!d) return;
    for (struct dirent *e; (e = readdir(d));) {
        struct buf  full = {0}, name = {0};
        struct stat st;
        if (is_hidden(e->d_name)) continue;
        buf_printf(&full, "%s/%s", path, e->d_name);
        buf_printf(&name, "%s%s", prefix, e->d_name);
        if (name.len < NAME_MAX_LEN && stat(buf_cstr(&full), &st) == 0) {
            if (S_ISREG(st.st_mode)) add_name(buf_cstr(&name));
            buf_char(&name, '/');
            if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
                add_folder(full.data, buf_cstr(&name), depth + 1);
        }
        buf_release(&full);
        buf_release(&name);
    }
    closedir(d);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static void read_names(void)
{
    const char *dir = getenv("TZDIR");

    zones.folder = dir && *dir ? dir : "/usr/share/zoneinfo";
    add_folder(zones.folder, "", 0);
    if (zones.len) qsort(zones.at, zones.len, sizeof(*zones.at), by_name);
}

static const struct zone_rules *rules_of(struct entry *e)
{
    const struct zone_rules *r = atomic_load_explicit(&e->rules, memory_order_acquire);
    const struct zone_rules *none = NULL;

    if (r) return r;
    struct buf path = {0};
    buf_printf(&path, "%s/%s", zones.folder, e->name);
    r = read_file(buf_cstr(&path));
    buf_release(&path);
    if (!r) r = &not_a_zone;
    if (!atomic_compare_exchange_strong(&e->rules, &none, r)) {
        if (r != &not_a_zone) zone_rules_free(r);
        r = none; /* another thread was first */
    }
    return r;
}

static bool find_named(struct str name, struct zone *out)
{
    char         z[NAME_MAX_LEN];
    struct entry wanted = {.name = z};

    if (name.len == 0 || name.len >= sizeof(z) || memchr(name.data, 0, name.len)) return false;
    pthread_once(&names_once, read_names);
    memcpy(z, name.data, name.len);
    z[name.len] = '\0';
    struct entry *e =
        zones.len ? bsearch(&wanted, zones.at, zones.len, sizeof(wanted), by_name) : NULL;
    const struct zone_rules *r = e ? rules_of(e) : &not_a_zone;
    if (r == &not_a_zone) return false;
    *out = (struct zone){.rules = r};
    return true;
}

static bool is_utc(struct str id)
{
    return str_eq(id, STR("UTC")) || str_eq(id, STR("GMT")) || str_eq(id, STR("UT")) ||
           str_eq(id, STR("Z"));
}

bool zone_find(struct str id, struct zone *out)
{
    *out = ZONE_UTC;
    if (is_utc(id)) return true;
    if (id.len && (id.data[0] == '+' || id.data[0] == '-'))
        return zone_offset_parse(id, &out->offset_ms) == id.len;
    return find_named(id, out);
}

size_t zone_prefix(struct str text, struct zone *out)
{
    size_t len = 0;

    while (len < text.len && len < NAME_MAX_LEN) {
        char c = text.data[len];
        bool name = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '/' || c == '_' || c == '+' || c == '-';
        if (!name) break;
        len++;
    }
    for (; len > 0; len--) {
        struct str name = {text.data, len};
        if (str_eq(name, STR("UTC"))) {
            *out = ZONE_UTC;
            return len;
        }
        if (find_named(name, out)) return len;
    }
    return 0;
}

static pthread_once_t local_once = PTHREAD_ONCE_INIT;
static struct zone    local;

static void read_local(void)
{
    const char *tz = getenv("TZ");

    local = ZONE_UTC;
    if (!tz)
        local.rules = read_file("/etc/localtime");
    else if (tz[tz[0] == ':'] == '/')
        local.rules = read_file(tz + (tz[0] == ':'));
    else if (!zone_find(str_of(tz + (tz[0] == ':')), &local))
        local = ZONE_UTC;
}

struct zone zone_local(void)
{
    pthread_once(&local_once, read_local);
    return local;
}

/* ---- offsets ---- */

static bool two_digits(const char *p, size_t left, int max, int *value)
{
    if (left < 2 || p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9') return false;
    *value = (p[0] - '0') * 10 + (p[1] - '0');
    return *value <= max;
}

static bool digit_at(struct str s, size_t i)
{
    return i < s.len && s.data[i] >= '0' && s.data[i] <= '9';
}

/* Up to three digits of a fraction at `i`; bytes read. */
static size_t take_millis(struct str s, size_t i, int32_t *ms)
{
    size_t start = i;

    for (int unit = 100; unit && digit_at(s, i); unit /= 10, i++)
        *ms += (s.data[i] - '0') * unit;
    return i - start;
}

/* Minutes, seconds and milliseconds follow as far as they are there; with a colon they must be
   whole, without one digits must come in twos. */
size_t zone_offset_parse(struct str text, int32_t *ms)
{
    bool    minus = text.len && text.data[0] == '-', colons;
    int     part;
    int32_t total;
    size_t  i = 3;

    if (text.len < 2 || (!minus && text.data[0] != '+')) return 0;
    if (!two_digits(text.data + 1, text.len - 1, 23, &part)) return 0;
    total = part * 3600000;
    colons = i < text.len && text.data[i] == ':';
    for (int unit = 60000; unit >= 1000; unit /= 60) {
        if (colons ? i >= text.len || text.data[i] != ':' : !digit_at(text, i)) goto done;
        i += colons;
        if (!two_digits(text.data + i, text.len - i, 59, &part)) return 0;
        total += part * unit;
        i += 2;
    }
    if (!colons) {
        i += take_millis(text, i, &total);
    } else if (i < text.len && (text.data[i] == '.' || text.data[i] == ',')) {
        size_t n = take_millis(text, i + 1, &total);
        if (n == 0) return 0;
        i += n + 1;
    }
done:
    *ms = minus ? -total : total;
    return i;
}

static struct zone_span find_span(const struct zone_rules *r, int64_t utc)
{
    uint32_t low = 0, high = r->len;

    if (r->len == 0 || utc >= r->at[r->len - 1]) {
        if (r->footer.given) {
            struct zone_span s = zone_footer_span(&r->footer, utc);
            if (r->len && s.from < r->at[r->len - 1]) s.from = r->at[r->len - 1];
            return s;
        }
        low = r->len;
    }
    while (low < high) { /* the first transition behind `utc` */
        uint32_t middle = low + (high - low) / 2;
        if (r->at[middle] <= utc)
            low = middle + 1;
        else
            high = middle;
    }
    return (struct zone_span){low ? r->at[low - 1] : INT64_MIN,
                              low < r->len ? r->at[low] : INT64_MAX,
                              low ? r->offset[low - 1] : r->first};
}

/* Remembers the last one: most times of a log are near each other. */
static int32_t rules_offset(const struct zone_rules *r, int64_t utc)
{
    static _Thread_local struct {
        const struct zone_rules *rules;
        struct zone_span         span;
    } last;

    if (last.rules != r || utc < last.span.from || utc >= last.span.until) {
        last.span = find_span(r, utc);
        last.rules = r;
    }
    return last.span.offset;
}

static int64_t floor_second(int64_t ms)
{
    return ms / 1000 - (ms % 1000 < 0);
}

int64_t zone_offset(struct zone z, int64_t utc_ms)
{
    if (!z.rules) return z.offset_ms;
    return (int64_t)rules_offset(z.rules, floor_second(utc_ms)) * 1000;
}

bool zone_from_local(struct zone z, int64_t local_ms, int64_t *utc_ms)
{
    enum { DAY_MS = 86400000 };

    if (!z.rules) {
        *utc_ms = local_ms - z.offset_ms;
        return true;
    }
    int64_t before = zone_offset(z, local_ms - DAY_MS), after = zone_offset(z, local_ms + DAY_MS);
    int64_t larger = before > after ? before : after, smaller = before > after ? after : before;
    if (zone_offset(z, local_ms - larger) == larger)
        *utc_ms = local_ms - larger;
    else if (larger != smaller && zone_offset(z, local_ms - smaller) == smaller)
        *utc_ms = local_ms - smaller;
    else
        return false;
    return true;
}
