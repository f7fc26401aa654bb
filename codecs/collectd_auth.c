/*
 * Signed and encrypted packets of collectd.
 *
 * Source: collectd.conf(5), AuthFile; collectd's binary protocol, «Signature» and «Encryption».
 * Threads: any; the passwords are under a mutex.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fatal.h"
#include "base/log.h"
#include "codecs/collectd.h"

enum { KEY_MAX = 1024, USERS_MAX = 65536 };
#define CHECK_NS INT64_C(1000000000) /* how often the file is looked at */

struct collectd_auth {
    pthread_mutex_t mutex;
    const char     *path;
    struct timespec changed; /* of the file that was read */
    int64_t         check_ns;
    struct arena    arena;
    struct map     *users; /* name → password */
};

/* "user: password"; other lines are not looked at. */
static void read_line(struct collectd_auth *a, struct str line)
{
    ptrdiff_t colon = str_find(line, STR(": "));

    while (line.len > 0 && (line.data[line.len - 1] == '\n' || line.data[line.len - 1] == '\r'))
        line.len--;
    if (colon <= 0 || (size_t)colon + 2 >= line.len || line.data[0] == '#') return;
    struct str key = str_from(line, (size_t)colon + 2);
    if (key.len > KEY_MAX || a->users->len >= USERS_MAX) return;
    struct str user = arena_copy(&a->arena, (struct str){line.data, (size_t)colon});
    *map_add(a->users, &a->arena, key_make(user)) = value_string(arena_copy(&a->arena, key));
}

/* False, with errno set, when the file cannot be read; the users stay what they were. */
static bool read_file(struct collectd_auth *a)
{
    struct stat st;
    FILE       *f = fopen(a->path, "re");
    char       *line = NULL;
    size_t      cap = 0;
    ssize_t     len;

    if (!f) return false;
    if (fstat(fileno(f), &st) == 0) a->changed = st.st_mtim;
    arena_release(&a->arena);
    a->users = map_new(&a->arena, 16);
    while ((len = getline(&line, &cap, f)) >= 0)
        read_line(a, (struct str){line, (size_t)len});
    if (line) OPENSSL_cleanse(line, cap);
    free(line);
    fclose(f);
    return true;
}

struct collectd_auth *collectd_auth_open(struct str path, struct plugin_open *cx)
{
    struct collectd_auth *a = xcalloc(1, sizeof(*a));

    a->path = arena_cstr(cx->arena, path);
    pthread_mutex_init(&a->mutex, NULL);
    if (read_file(a)) return a;
    plugin_error(cx, "authfile", "cannot read \"%.*s\": %s", STR_ARG(path), strerror(errno));
    collectd_auth_close(a);
    return NULL;
}

void collectd_auth_close(struct collectd_auth *a)
{
    if (!a) return;
    arena_release(&a->arena);
    pthread_mutex_destroy(&a->mutex);
    free(a);
}

static void read_again(struct collectd_auth *a)
{
    struct stat st;
    int64_t     now = clock_monotonic_ns();

    if (now < a->check_ns) return;
    a->check_ns = now + CHECK_NS;
    if (stat(a->path, &st) != 0) return;
    if (st.st_mtim.tv_sec == a->changed.tv_sec && st.st_mtim.tv_nsec == a->changed.tv_nsec) return;
    read_file(a);
}

/* Copies the user's password to `key`; its length, or -1 when there is no such user. */
static int find_key(struct collectd_auth *a, struct str user, char key[KEY_MAX])
{
    int len = -1;

    if (!a) return -1;
    pthread_mutex_lock(&a->mutex);
    read_again(a);
    const struct value *v = map_get(a->users, key_make(user));
    if (v) {
        memcpy(key, v->as.s, v->len);
        len = (int)v->len;
    }
    pthread_mutex_unlock(&a->mutex);
    return len;
}

bool collectd_auth_verify(struct collectd_auth *a, struct str user, const char *signature,
                          struct str payload)
{
    char          key[KEY_MAX];
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned      mac_len = 0;
    int           len = find_key(a, user, key);
    struct buf    text = {0};

    if (len < 0) return false;
    buf_str(&text, user);
    buf_str(&text, payload);
    bool good = HMAC(EVP_sha256(), key, len, (const unsigned char *)text.data, text.len, mac,
                     &mac_len) != NULL;
    buf_release(&text);
    OPENSSL_cleanse(key, sizeof(key));
    return good && mac_len == COLLECTD_SIGNATURE &&
           CRYPTO_memcmp(mac, signature, COLLECTD_SIGNATURE) == 0;
}

/* AES-256 in OFB mode, under the SHA-256 of the password. */
static bool decrypt(const char *key, int key_len, const char *iv, struct str secret, char *plain)
{
    unsigned char   hash[EVP_MAX_MD_SIZE];
    EVP_CIPHER_CTX *cx = EVP_CIPHER_CTX_new();
    int             len = 0;

    if (!cx) fatal_memory();
    bool good = EVP_Digest(key, (size_t)key_len, hash, NULL, EVP_sha256(), NULL) &&
                EVP_DecryptInit_ex(cx, EVP_aes_256_ofb(), NULL, hash, (const unsigned char *)iv) &&
                EVP_DecryptUpdate(cx, (unsigned char *)plain, &len,
                                  (const unsigned char *)secret.data, (int)secret.len);
    EVP_CIPHER_CTX_free(cx);
    OPENSSL_cleanse(hash, sizeof(hash));
    return good && len == (int)secret.len;
}

bool collectd_auth_decrypt(struct collectd_auth *a, struct str user, const char *iv,
                           struct str secret, struct arena *arena, struct str *plain)
{
    char          key[KEY_MAX];
    unsigned char hash[EVP_MAX_MD_SIZE];
    int           key_len = find_key(a, user, key);

    if (key_len < 0 || secret.len <= COLLECTD_CHECKSUM || secret.len > UINT16_MAX) return false;
    char *text = arena_alloc(arena, secret.len);
    bool  good = decrypt(key, key_len, iv, secret, text);
    OPENSSL_cleanse(key, sizeof(key));
    *plain = str_from((struct str){text, secret.len}, COLLECTD_CHECKSUM);
    return good && EVP_Digest(plain->data, plain->len, hash, NULL, EVP_sha1(), NULL) &&
           CRYPTO_memcmp(hash, text, COLLECTD_CHECKSUM) == 0;
}
