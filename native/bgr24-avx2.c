/* bgr24-ssse3.c's way from UYVY with 32 pixels at a time: each register has two halves that know nothing of each other,
 * and each half does what is done there. From BGRX there is no gain: that loop waits for memory already. */
#include <immintrin.h>

#define STREAMEM__AVX2 __attribute__((target("avx2"), always_inline)) static inline

typedef struct {
  __m256i blue, green, red; /* 32nds, 16 pixels */
} streamem__colours_16;

/* The same 16 bytes in both halves. */
STREAMEM__AVX2 __m256i streamem__twice(const int8_t *bytes) {
  return _mm256_broadcastsi128_si256(_mm_load_si128((const __m128i *)bytes));
}

STREAMEM__AVX2 streamem__colours_16 streamem__colours_of_16(__m256i uyvy) {
  const __m256i low = _mm256_set1_epi32(0x000000ff), pair = _mm256_set1_epi32(0x00010001);
  __m256i y = _mm256_slli_epi16(_mm256_sub_epi16(_mm256_srli_epi16(uyvy, 8), _mm256_set1_epi16(16)), 7);
  __m256i u = _mm256_mullo_epi32(_mm256_and_si256(uyvy, low), pair);
  __m256i v = _mm256_mullo_epi32(_mm256_and_si256(_mm256_srli_epi32(uyvy, 16), low), pair);
  u = _mm256_slli_epi16(_mm256_sub_epi16(u, _mm256_set1_epi16(128)), 7);
  v = _mm256_slli_epi16(_mm256_sub_epi16(v, _mm256_set1_epi16(128)), 7);
  y = _mm256_mulhrs_epi16(y, _mm256_set1_epi16(streamem__y));
  __m256i of_u = _mm256_mulhrs_epi16(u, _mm256_set1_epi16(streamem__gu)), of_v = _mm256_mulhrs_epi16(v, _mm256_set1_epi16(streamem__gv));
  streamem__colours_16 colours = {
      _mm256_add_epi16(y, _mm256_mulhrs_epi16(u, _mm256_set1_epi16(streamem__bu))),
      _mm256_sub_epi16(_mm256_sub_epi16(y, of_u), of_v),
      _mm256_add_epi16(y, _mm256_mulhrs_epi16(v, _mm256_set1_epi16(streamem__rv))),
  };
  return colours;
}

/* To bytes, 32 pixels of one colour. Packing takes halves by turns; the last step puts their quarters in order. */
STREAMEM__AVX2 __m256i streamem__bytes_of_32(__m256i a, __m256i b) {
  const __m256i half = _mm256_set1_epi16(16);
  a = _mm256_srai_epi16(_mm256_add_epi16(a, half), 5);
  b = _mm256_srai_epi16(_mm256_add_epi16(b, half), 5);
  return _mm256_permute4x64_epi64(_mm256_packus_epi16(a, b), 0xd8);
}

STREAMEM__AVX2 __m256i streamem__woven_32(__m256i blue, __m256i green, __m256i red, const int8_t places[3][16]) {
  blue = _mm256_shuffle_epi8(blue, streamem__twice(places[0]));
  green = _mm256_shuffle_epi8(green, streamem__twice(places[1]));
  red = _mm256_shuffle_epi8(red, streamem__twice(places[2]));
  return _mm256_or_si256(_mm256_or_si256(blue, green), red);
}

STREAMEM__AVX2 uint32_t streamem__uyvy_steps_32(uint8_t *bgr, const uint8_t *uyvy, uint32_t width, int aligned) {
  uint32_t column = 0;
  for (; width - column >= 32; column += 32, bgr += 96, uyvy += 64) {
    _mm_prefetch((const char *)uyvy + streamem__ahead, _MM_HINT_T0);
    streamem__colours_16 a = streamem__colours_of_16(_mm256_loadu_si256((const __m256i *)(uyvy)));
    streamem__colours_16 b = streamem__colours_of_16(_mm256_loadu_si256((const __m256i *)(uyvy + 32)));
    __m256i blue = streamem__bytes_of_32(a.blue, b.blue);
    __m256i green = streamem__bytes_of_32(a.green, b.green);
    __m256i red = streamem__bytes_of_32(a.red, b.red);
    __m256i first = streamem__woven_32(blue, green, red, streamem__places[0]);
    __m256i second = streamem__woven_32(blue, green, red, streamem__places[1]);
    __m256i third = streamem__woven_32(blue, green, red, streamem__places[2]);
    streamem__store_48(bgr, _mm256_castsi256_si128(first), _mm256_castsi256_si128(second), _mm256_castsi256_si128(third), aligned);
    streamem__store_48(bgr + 48, _mm256_extracti128_si256(first, 1), _mm256_extracti128_si256(second, 1),
                       _mm256_extracti128_si256(third, 1), aligned);
  }
  return column;
}

__attribute__((target("avx2"))) static void streamem__uyvy_row_avx2(uint8_t *bgr, const uint8_t *uyvy, uint32_t width) {
  int aligned = streamem__is_aligned(bgr);
  uint32_t done = aligned ? streamem__uyvy_steps_32(bgr, uyvy, width, 1) : streamem__uyvy_steps_32(bgr, uyvy, width, 0);
  streamem__uyvy_row_ssse3(bgr + 3ull * done, uyvy + 2ull * done, width - done);
}
