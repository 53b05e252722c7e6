/* bgr24.c, 16 pixels at a time on x86-64; asked at run time whether the processor has SSSE3.
 * What is read was written by another core a moment ago and is asked for ahead; what is written is not read here again, so
 * whole lines go past the caches where they are aligned, which spares fetching the slot's old bytes. commit begins with the
 * sfence that such stores need. */
#include <tmmintrin.h>

#define STREAMEM__SSSE3 __attribute__((target("ssse3"), always_inline)) static inline

enum { streamem__ahead = 1024 };

STREAMEM__SSSE3 void streamem__store_48(uint8_t *to, __m128i first, __m128i second, __m128i third, int aligned) {
  if (aligned) {
    _mm_stream_si128((__m128i *)(to), first);
    _mm_stream_si128((__m128i *)(to + 16), second);
    _mm_stream_si128((__m128i *)(to + 32), third);
  } else {
    _mm_storeu_si128((__m128i *)(to), first);
    _mm_storeu_si128((__m128i *)(to + 16), second);
    _mm_storeu_si128((__m128i *)(to + 32), third);
  }
}

/* The three good bytes of each four are moved together, and four times 12 bytes make three times 16. */
STREAMEM__SSSE3 uint32_t streamem__bgrx_steps(uint8_t *bgr, const uint8_t *bgrx, uint32_t width, int aligned) {
  const __m128i pack = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, bgrx += 64) {
    _mm_prefetch((const char *)bgrx + streamem__ahead, _MM_HINT_T0);
    __m128i a = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx)), pack);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 16)), pack);
    __m128i c = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 32)), pack);
    __m128i d = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 48)), pack);
    __m128i second = _mm_or_si128(_mm_srli_si128(b, 4), _mm_slli_si128(c, 8));
    __m128i third = _mm_or_si128(_mm_srli_si128(c, 8), _mm_slli_si128(d, 4));
    streamem__store_48(bgr, _mm_or_si128(a, _mm_slli_si128(b, 12)), second, third, aligned);
  }
  return column;
}

typedef struct {
  __m128i blue, green, red; /* 32nds, 8 pixels */
} streamem__colours;

STREAMEM__SSSE3 streamem__colours streamem__colours_of(__m128i uyvy) {
  const __m128i y_of = _mm_setr_epi8(1, -1, 3, -1, 5, -1, 7, -1, 9, -1, 11, -1, 13, -1, 15, -1);
  const __m128i u_of = _mm_setr_epi8(0, -1, 0, -1, 4, -1, 4, -1, 8, -1, 8, -1, 12, -1, 12, -1);
  const __m128i v_of = _mm_setr_epi8(2, -1, 2, -1, 6, -1, 6, -1, 10, -1, 10, -1, 14, -1, 14, -1);
  __m128i y = _mm_slli_epi16(_mm_sub_epi16(_mm_shuffle_epi8(uyvy, y_of), _mm_set1_epi16(16)), 7);
  __m128i u = _mm_slli_epi16(_mm_sub_epi16(_mm_shuffle_epi8(uyvy, u_of), _mm_set1_epi16(128)), 7);
  __m128i v = _mm_slli_epi16(_mm_sub_epi16(_mm_shuffle_epi8(uyvy, v_of), _mm_set1_epi16(128)), 7);
  y = _mm_mulhrs_epi16(y, _mm_set1_epi16(streamem__y));
  __m128i of_u = _mm_mulhrs_epi16(u, _mm_set1_epi16(streamem__gu)), of_v = _mm_mulhrs_epi16(v, _mm_set1_epi16(streamem__gv));
  streamem__colours colours = {
      _mm_add_epi16(y, _mm_mulhrs_epi16(u, _mm_set1_epi16(streamem__bu))),
      _mm_sub_epi16(_mm_sub_epi16(y, of_u), of_v),
      _mm_add_epi16(y, _mm_mulhrs_epi16(v, _mm_set1_epi16(streamem__rv))),
  };
  return colours;
}

/* To bytes, 16 pixels of one colour. */
STREAMEM__SSSE3 __m128i streamem__bytes_of(__m128i a, __m128i b) {
  const __m128i half = _mm_set1_epi16(16);
  return _mm_packus_epi16(_mm_srai_epi16(_mm_add_epi16(a, half), 5), _mm_srai_epi16(_mm_add_epi16(b, half), 5));
}

/* Where the bytes of blue, green and red go in each 16 of 48. */
static const int8_t streamem__places[3][3][16] __attribute__((aligned(16))) = {
    {{0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5},
     {-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1},
     {-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1}},
    {{-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1},
     {5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10},
     {-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1}},
    {{-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1},
     {-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1},
     {10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15}},
};

STREAMEM__SSSE3 __m128i streamem__woven(__m128i blue, __m128i green, __m128i red, const int8_t places[3][16]) {
  blue = _mm_shuffle_epi8(blue, _mm_load_si128((const __m128i *)places[0]));
  green = _mm_shuffle_epi8(green, _mm_load_si128((const __m128i *)places[1]));
  red = _mm_shuffle_epi8(red, _mm_load_si128((const __m128i *)places[2]));
  return _mm_or_si128(_mm_or_si128(blue, green), red);
}

STREAMEM__SSSE3 uint32_t streamem__uyvy_steps(uint8_t *bgr, const uint8_t *uyvy, uint32_t width, int aligned) {
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, uyvy += 32) {
    _mm_prefetch((const char *)uyvy + streamem__ahead, _MM_HINT_T0);
    streamem__colours a = streamem__colours_of(_mm_loadu_si128((const __m128i *)(uyvy)));
    streamem__colours b = streamem__colours_of(_mm_loadu_si128((const __m128i *)(uyvy + 16)));
    __m128i blue = streamem__bytes_of(a.blue, b.blue);
    __m128i green = streamem__bytes_of(a.green, b.green);
    __m128i red = streamem__bytes_of(a.red, b.red);
    __m128i first = streamem__woven(blue, green, red, streamem__places[0]);
    __m128i second = streamem__woven(blue, green, red, streamem__places[1]);
    __m128i third = streamem__woven(blue, green, red, streamem__places[2]);
    streamem__store_48(bgr, first, second, third, aligned);
  }
  return column;
}

static inline int streamem__is_aligned(const uint8_t *memory) { return ((intptr_t)memory & 15) == 0; }

__attribute__((target("ssse3"))) static void streamem__bgrx_row_ssse3(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  uint32_t done = streamem__is_aligned(bgr) ? streamem__bgrx_steps(bgr, bgrx, width, 1) : streamem__bgrx_steps(bgr, bgrx, width, 0);
  streamem__bgrx_row_plain(bgr + 3ull * done, bgrx + 4ull * done, width - done);
}

__attribute__((target("ssse3"))) static void streamem__uyvy_row_ssse3(uint8_t *bgr, const uint8_t *uyvy, uint32_t width) {
  uint32_t done = streamem__is_aligned(bgr) ? streamem__uyvy_steps(bgr, uyvy, width, 1) : streamem__uyvy_steps(bgr, uyvy, width, 0);
  streamem__uyvy_row_plain(bgr + 3ull * done, uyvy + 2ull * done, width - done);
}

static streamem__bgr24_row *streamem__bgrx_row(void) {
  return __builtin_cpu_supports("ssse3") ? streamem__bgrx_row_ssse3 : streamem__bgrx_row_plain;
}

#include "bgr24-avx2.c"

static streamem__bgr24_row *streamem__uyvy_row(void) {
  if (__builtin_cpu_supports("avx2")) return streamem__uyvy_row_avx2;
  return __builtin_cpu_supports("ssse3") ? streamem__uyvy_row_ssse3 : streamem__uyvy_row_plain;
}
