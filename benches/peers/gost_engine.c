/* Signatures and verifications a second of OpenSSL's GOST engine, through libcrypto in this process.
 * cc -O2 gost_engine.c -lcrypto -o gost_engine && ./gost_engine gost2012_512 A 64 1.0
 * prints: signatures a second, verifications a second. */
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static void must(int ok, const char *what)
{
    if (ok > 0)
        return;
    fprintf(stderr, "%s failed\n", what);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/* The best of short rounds, so that what else the machine does falls out. */
static double rate(double seconds, EVP_PKEY_CTX *context, unsigned char *value, size_t *len,
                   const unsigned char *digest, size_t digest_len, int sign)
{
    enum { ROUND = 4 };
    double best = 1e9, end = now() + seconds;
    while (now() < end) {
        double start = now(), took;
        for (int i = 0; i < ROUND; i++) {
            if (sign) {
                *len = 128;
                must(EVP_PKEY_sign(context, value, len, digest, digest_len), "sign");
            } else {
                must(EVP_PKEY_verify(context, value, *len, digest, digest_len), "verify");
            }
        }
        took = (now() - start) / ROUND;
        if (took < best)
            best = took;
    }
    return 1 / best;
}

int main(int argc, char **argv)
{
    unsigned char digest[64], value[128];
    size_t len, digest_len;
    double seconds;
    ENGINE *engine;
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context;

    must(argc == 5, "usage");
    digest_len = strtoul(argv[3], NULL, 10);
    seconds = strtod(argv[4], NULL);
    memset(digest, 0x5a, sizeof digest);

    engine = ENGINE_by_id("gost");
    must(engine != NULL, "engine gost");
    must(ENGINE_init(engine), "engine start");
    must(ENGINE_set_default(engine, ENGINE_METHOD_ALL), "engine default");

    {
        const EVP_PKEY_ASN1_METHOD *method = EVP_PKEY_asn1_find_str(&engine, argv[1], -1);
        int id;
        must(method != NULL, "key method");
        must(EVP_PKEY_asn1_get0_info(&id, NULL, NULL, NULL, NULL, method), "key id");
        context = EVP_PKEY_CTX_new_id(id, engine);
    }
    must(context != NULL, "context");
    must(EVP_PKEY_keygen_init(context), "keygen start");
    must(EVP_PKEY_CTX_ctrl_str(context, "paramset", argv[2]), "parameter set");
    must(EVP_PKEY_keygen(context, &key), "keygen");
    EVP_PKEY_CTX_free(context);

    context = EVP_PKEY_CTX_new(key, engine);
    must(EVP_PKEY_sign_init(context), "sign start");
    printf("%.0f ", rate(seconds, context, value, &len, digest, digest_len, 1));

    must(EVP_PKEY_verify_init(context), "verify start");
    printf("%.0f\n", rate(seconds, context, value, &len, digest, digest_len, 0));
    return 0;
}
