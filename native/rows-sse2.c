/* The loops of rows-plain.c with the vectors that every x86-64 has. */
#include <emmintrin.h>

static void streamem__add_row(uint16_t *sums, const uint8_t *row, uint64_t count) {
  const __m128i zero = _mm_setzero_si128();
  uint64_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(row + i));
    __m128i *to = (__m128i *)(void *)(sums + i);
    _mm_storeu_si128(to, _mm_add_epi16(_mm_loadu_si128(to), _mm_unpacklo_epi8(bytes, zero)));
    _mm_storeu_si128(to + 1, _mm_add_epi16(_mm_loadu_si128(to + 1), _mm_unpackhi_epi8(bytes, zero)));
  }
  for (; i < count; i++) sums[i] = (uint16_t)(sums[i] + row[i]);
}

/* The sums of n neighbours at every place, though only one in n is wanted: dear for large boxes, and their sums would not
 * fit 16 bits. The inverse of 9 is rounded up; the sums of 3 x 3 are too small for that to show. */
static __m128i streamem__means_of_8(const uint16_t *sums, uint32_t samples, uint32_t n, __m128i half, __m128i inverse) {
  __m128i sum = half;
  for (uint32_t i = 0; i < n; i++) sum = _mm_add_epi16(sum, _mm_loadu_si128((const __m128i *)(const void *)(sums + i * samples)));
  return _mm_mulhi_epu16(sum, inverse);
}

/* `sums` may be read, and `means` written, up to 64 places beyond the row. 0 where n is not 2, 3 or 4. */
static int streamem__mean_row(uint8_t *target, const uint16_t *sums, uint8_t *means, uint32_t columns, uint32_t samples, uint32_t n) {
  if (n < 2 || n > 4 || samples < 3) return 0;
  uint32_t boxes = n * n, count = columns * n * samples;
  const __m128i half = _mm_set1_epi16((short)(boxes / 2)), inverse = _mm_set1_epi16((short)((65536 + boxes - 1) / boxes));
  for (uint32_t i = 0; i < count; i += 16) {
    __m128i low = streamem__means_of_8(sums + i, samples, n, half, inverse);
    __m128i high = streamem__means_of_8(sums + i + 8, samples, n, half, inverse);
    _mm_storeu_si128((__m128i *)(void *)(means + i), _mm_packus_epi16(low, high));
  }
  for (uint32_t x = 0; x + 1 < columns; x++, target += samples, means += n * samples) memcpy(target, means, 4);
  memcpy(target, means, samples); /* of the last pixel no byte more: behind it is somebody else's */
  return 1;
}
