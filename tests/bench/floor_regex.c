/*
 * The floor of J2g: reads lines and matches each with one regex by PCRE2's JIT, and nothing else.
 *
 * usage: floor_regex PATTERN-FILE IN
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

static pcre2_code *compile(const char *path)
{
    static char pattern[1 << 16];
    FILE       *f = fopen(path, "r");
    size_t      len = f ? fread(pattern, 1, sizeof(pattern), f) : 0;
    int         error;
    PCRE2_SIZE  at;
    pcre2_code *code =
        pcre2_compile((PCRE2_SPTR)pattern, len,
                      PCRE2_NO_AUTO_CAPTURE | PCRE2_DUPNAMES | PCRE2_MULTILINE, &error, &at, NULL);

    if (f) fclose(f);
    if (!code || pcre2_jit_compile(code, PCRE2_JIT_COMPLETE) != 0) exit(1);
    return code;
}

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    pcre2_code       *code = compile(argv[1]);
    pcre2_match_data *data = pcre2_match_data_create_from_pattern(code, NULL);
    FILE             *in = fopen(argv[2], "r");
    static char       buffer[1 << 20];
    char             *line = NULL;
    size_t            cap = 0, failed = 0;
    ssize_t           n;

    if (!in) return 1;
    setvbuf(in, buffer, _IOFBF, sizeof(buffer));
    while ((n = getline(&line, &cap, in)) > 0)
        failed += pcre2_jit_match(code, (PCRE2_SPTR)line, (size_t)n - 1, 0, 0, data, NULL) < 0;
    return failed != 0;
}
