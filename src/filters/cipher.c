/*
 * cipher: encrypts and decrypts fields.
 *
 * Source: logstash-filter-cipher, lib/logstash/filters/cipher.rb.
 * Threads: the algorithm and key are constant; each worker has an OpenSSL context of its own.
 */
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "base/fatal.h"
#include "base/owned.h"
#include "base/utf8.h"
#include "plugin/failure.h"
#include "text/digest.h"

enum mode { MODE_ENCRYPT, MODE_DECRYPT };
static const char *const modes[] = {"encrypt", "decrypt", NULL};

enum { TEXT_MAX = 64 << 20 };

struct cipher {
    struct str          algorithm, key_pad, cipher_padding;
    struct password     key, iv;
    bool                base64;
    int64_t             iv_random_length, key_size, max_cipher_reuse;
    int                 mode;
    const struct field *source, *target;

    EVP_CIPHER    *method;
    unsigned char *padded_key;
    bool           pads;
    struct owned  *contexts;
};

static const struct option cipher_options[] = {
    OPT(struct cipher, OPT_STRING, algorithm, .required = true,
        .doc = "The algorithm by its name in OpenSSL, such as aes-256-cbc. Authenticated modes "
               "(GCM, CCM, OCB) are refused."),
    OPT(struct cipher, OPT_BOOL, base64, .preset = "true",
        .doc = "Whether what is encrypted is base64: made after encrypting, read before "
               "decrypting. Encrypted bytes are no text, so without it encrypting fails for "
               "nearly every event."),
    OPT(struct cipher, OPT_STRING, cipher_padding,
        .doc = "0 switches padding off: texts must then be whole blocks. By default they are "
               "padded as in PKCS #7."),
    OPT(struct cipher, OPT_PASSWORD, iv, .deprecated = "use iv_random_length instead",
        .doc = "A fixed initialisation vector, of the length that the algorithm wants."),
    OPT(struct cipher, OPT_INT, iv_random_length, .min = 1, .max = EVP_MAX_IV_LENGTH,
        .doc = "The length in bytes of an initialisation vector made anew for each event: 16 for "
               "AES. It stands before the encrypted bytes. Required unless iv is given."),
    OPT(struct cipher, OPT_PASSWORD, key, .required = true, .doc = "The key."),
    OPT(struct cipher, OPT_STRING, key_pad, .preset = "\0",
        .doc = "The character that a short key is filled up with: NUL by default."),
    OPT(struct cipher, OPT_INT, key_size, .preset = "16", .min = 1, .max = EVP_MAX_KEY_LENGTH,
        .doc = "The length of the key in bytes: 16 for AES-128, 32 for AES-256. A shorter key is "
               "filled up, a longer one cut."),
    OPT(struct cipher, OPT_INT, max_cipher_reuse, .preset = "1",
        .no_effect = "each worker keeps its context and starts it anew for each event",
        .doc = "How often a context is used."),
    OPT(struct cipher, OPT_ENUM, mode, .required = true, .choices = modes,
        .doc = "encrypt or decrypt."),
    OPT(struct cipher, OPT_FIELD, source, .preset = "message",
        .doc = "The field with the text. An event where it is missing or empty goes on as it is, "
               "as does one for which something fails; that is logged."),
    OPT(struct cipher, OPT_FIELD, target, .preset = "message",
        .doc = "The field that gets the result."),
    OPT_END,
};

/* ---- opening ---- */

static void fill_key(struct cipher *c, struct arena *a)
{
    size_t size = (size_t)c->key_size, len = c->key.secret.len < size ? c->key.secret.len : size;
    char   pad = c->key_pad.len ? c->key_pad.data[0] : '\0';

    c->padded_key = arena_alloc(a, size);
    memcpy(c->padded_key, c->key.secret.data, len);
    memset(c->padded_key + len, pad, size - len);
}

static bool check_iv(struct cipher *c, struct plugin_open *cx)
{
    size_t wanted = (size_t)EVP_CIPHER_get_iv_length(c->method);

    if (wanted == 0) return true;
    if (c->iv_random_length) {
        if ((size_t)c->iv_random_length == wanted) return true;
        return plugin_error(cx, "iv_random_length", "%.*s wants %zu", STR_ARG(c->algorithm),
                            wanted);
    }
    if (!c->iv.secret.data)
        return plugin_error(cx, NULL, "cipher needs the setting \"iv_random_length\"");
    if (c->iv.secret.len == wanted) return true;
    return plugin_error(cx, "iv", "%.*s wants an iv of %zu bytes", STR_ARG(c->algorithm), wanted);
}

static bool check(struct cipher *c, struct plugin_open *cx)
{
    if (!c->method)
        return plugin_error(cx, "algorithm", "OpenSSL has no cipher \"%.*s\"",
                            STR_ARG(c->algorithm));
    if (EVP_CIPHER_get_flags(c->method) & EVP_CIPH_FLAG_AEAD_CIPHER)
        return plugin_error(cx, "algorithm", "authenticated modes cannot be used");
    if (EVP_CIPHER_get_key_length(c->method) != c->key_size)
        return plugin_error(cx, "key_size", "%.*s wants a key_size of %d", STR_ARG(c->algorithm),
                            EVP_CIPHER_get_key_length(c->method));
    return check_iv(c, cx);
}

static bool cipher_open(void *self, struct plugin_open *cx)
{
    struct cipher *c = self;

    c->method = EVP_CIPHER_fetch(NULL, arena_cstr(cx->arena, c->algorithm), NULL);
    c->pads = !str_is(c->cipher_padding, "0");
    if (check(c, cx)) {
        fill_key(c, cx->arena);
        c->contexts = owned_new();
        return true;
    }
    EVP_CIPHER_free(c->method);
    return false;
}

static void cipher_close(void *self)
{
    struct cipher *c = self;

    owned_free(c->contexts);
    OPENSSL_cleanse(c->padded_key, (size_t)c->key_size);
    EVP_CIPHER_free(c->method);
}

/* ---- running ---- */

static void free_context(void *context)
{
    EVP_CIPHER_CTX_free(context);
}

static EVP_CIPHER_CTX *context_of(const struct cipher *c, EVP_CIPHER_CTX **state)
{
    if (*state) return *state;
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    /* The method once: given again it would allocate for each event. */
    if (!context || !EVP_CipherInit_ex2(context, c->method, NULL, NULL, -1, NULL)) fatal_memory();
    return *state = owned_add(c->contexts, context, free_context);
}

/* Encrypts or decrypts `data` behind `out`. */
static bool transform(const struct cipher *c, EVP_CIPHER_CTX *context, const unsigned char *iv,
                      struct str data, struct buf *out)
{
    int  len = 0, rest = 0;
    bool encrypts = c->mode == MODE_ENCRYPT;

    unsigned char *room = (unsigned char *)buf_room(out, data.len + EVP_MAX_BLOCK_LENGTH);
    if (!EVP_CipherInit_ex2(context, NULL, c->padded_key, iv, encrypts, NULL) ||
        !EVP_CIPHER_CTX_set_padding(context, c->pads) ||
        !EVP_CipherUpdate(context, room, &len, (const unsigned char *)data.data, (int)data.len) ||
        !EVP_CipherFinal_ex(context, room + len, &rest))
        return false;
    out->len += (size_t)(len + rest);
    return true;
}

/* NULL, with the result in cx->buf, or why there is none. */
static const char *encrypt(const struct cipher *c, struct str data, struct filter_context *cx)
{
    unsigned char        iv[EVP_MAX_IV_LENGTH];
    const unsigned char *used = (const unsigned char *)c->iv.secret.data;

    if (c->iv_random_length) {
        if (RAND_bytes(iv, (int)c->iv_random_length) != 1) return "no random bytes";
        buf_put(cx->buf, (const char *)iv, (size_t)c->iv_random_length);
        used = iv;
    }
    if (!transform(c, context_of(c, cx->state), used, data, cx->buf)) return "cannot encrypt";
    if (!c->base64) return NULL;
    struct str bytes = arena_copy(cx->scratch, buf_view(cx->buf));
    buf_clear(cx->buf);
    buf_str(cx->buf, text_of_base64(cx->scratch, (const unsigned char *)bytes.data, bytes.len));
    return NULL;
}

static const char *decrypt(const struct cipher *c, struct str data, struct filter_context *cx)
{
    const unsigned char *iv = (const unsigned char *)c->iv.secret.data;

    if (c->base64 && !base64_read(cx->scratch, data, &data)) return "not base64";
    if (c->iv_random_length) {
        if (data.len < (size_t)c->iv_random_length) return "too short for an iv";
        iv = (const unsigned char *)data.data;
        data = str_from(data, (size_t)c->iv_random_length);
    }
    return transform(c, context_of(c, cx->state), iv, data, cx->buf) ? NULL : "cannot decrypt";
}

static enum verdict cipher_run(const void *self, struct event *ev, struct filter_context *cx)
{
    static struct log_limit limit;
    const struct cipher    *c = self;
    const struct value     *v = event_get(ev, c->source);
    const char             *problem;

    if (!v || v->kind == VALUE_NULL || (v->kind == VALUE_STRING && v->len == 0)) return FILTER_PASS;
    buf_clear(cx->buf);
    if (v->kind != VALUE_STRING || v->len > TEXT_MAX)
        problem = "the source is no text, or too long";
    else if (c->mode == MODE_ENCRYPT)
        problem = encrypt(c, value_str(*v), cx);
    else
        problem = decrypt(c, value_str(*v), cx);
    if (!problem && !utf8_valid(buf_view(cx->buf))) problem = "the result is no text";
    if (!problem &&
        !event_set(ev, c->target, value_string(arena_copy(ev->arena, buf_view(cx->buf)))))
        problem = "cannot set the target";
    if (!problem) return FILTER_MATCH;
    filter_failed(cx, &limit, "filter.cipher", problem, c->source->text);
    return FILTER_PASS;
}

const struct plugin filter_cipher = {
    .kind = PLUGIN_FILTER,
    .name = "cipher",
    .summary = "Encrypts and decrypts fields.",
    .size = sizeof(struct cipher),
    .options = cipher_options,
    .open = cipher_open,
    .close = cipher_close,
    .filter = {.run = cipher_run, .worker_size = sizeof(EVP_CIPHER_CTX *)},
};
