/* OpenSSL's load of a revocation list and its lookup, measured: crl LIST CERTIFICATE SERIALS
 * LIST and CERTIFICATE in DER; SERIALS is serial numbers of 20 octets, one after the other, all of them listed.
 * The library is opened at run time, so that no headers are needed. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static unsigned char *contents(const char *path, long *length) {
    FILE *file = fopen(path, "rb");
    if (!file) exit(2);
    fseek(file, 0, SEEK_END);
    *length = ftell(file);
    rewind(file);
    unsigned char *octets = malloc(*length);
    if (!octets || fread(octets, 1, *length, file) != (size_t)*length) exit(2);
    fclose(file);
    return octets;
}

int main(int count, char **arguments) {
    void *library = dlopen("libcrypto.so.3", RTLD_NOW);
    if (count != 4 || !library) return 2;
    void *(*d2i_crl)(void **, const unsigned char **, long) = dlsym(library, "d2i_X509_CRL");
    void *(*d2i_certificate)(void **, const unsigned char **, long) = dlsym(library, "d2i_X509");
    void *(*d2i_integer)(void **, const unsigned char **, long) = dlsym(library, "d2i_ASN1_INTEGER");
    void *(*public_key)(const void *) = dlsym(library, "X509_get0_pubkey");
    int (*verify)(void *, void *) = dlsym(library, "X509_CRL_verify");
    int (*by_serial)(void *, void **, const void *) = dlsym(library, "X509_CRL_get0_by_serial");

    long length, serials_length;
    unsigned char *serials = contents(arguments[3], &serials_length);
    const unsigned char *at = contents(arguments[2], &length);
    void *certificate = d2i_certificate(NULL, &at, length);
    long n = serials_length / 20;
    void **numbers = malloc(n * sizeof *numbers);
    for (long i = 0; i < n; i++) {
        unsigned char der[22] = {2, 20};
        memcpy(der + 2, serials + i * 20, 20);
        const unsigned char *from = der;
        numbers[i] = d2i_integer(NULL, &from, sizeof der);
    }

    double start = now_ms();
    at = contents(arguments[1], &length);
    void *list = d2i_crl(NULL, &at, length);
    if (!list || verify(list, public_key(certificate)) != 1) return 1;
    double load = now_ms() - start;

    /* The first lookup sorts the entries. */
    void *entry;
    start = now_ms();
    if (by_serial(list, &entry, numbers[0]) != 1) return 1;
    double first = now_ms() - start;
    long found = 0;
    start = now_ms();
    for (long i = 0; i < n; i++) found += by_serial(list, &entry, numbers[i]) == 1;
    double all = now_ms() - start;
    if (found != n) return 1;
    printf("%f %f %f\n", load, first, all * 1e6 / n);
    return 0;
}
