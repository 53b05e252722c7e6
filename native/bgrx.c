/* Four bytes a pixel to three: BGRX or BGRA as libndi delivers it, to bgr24 in a slot. No library gives 24 bits, and
 * dropping the fourth byte on the way into the slot costs less than copying it. Rows are `stride` apart; sizes come from a
 * network and are checked as in pixels.c. The plain loop is the meaning of the others, and what tests hold them to. */

static void streamem__bgrx_row_plain(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  for (uint32_t column = 0; column < width; column++, bgr += 3, bgrx += 4) {
    bgr[0] = bgrx[0];
    bgr[1] = bgrx[1];
    bgr[2] = bgrx[2];
  }
}

typedef void streamem__bgrx_row(uint8_t *bgr, const uint8_t *bgrx, uint32_t width);

static int streamem__bgrx_rows(streamem__bgrx_row *row, uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes,
                               uint64_t stride, uint32_t width, uint32_t height) {
  if (!width || !height || width > 0x3fffffff) return STREAMEM_SHORT;
  if (!streamem__has_rows(bytes, stride, 4 * width, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(target_bytes, 3, width, height)) return STREAMEM_SHORT;
  for (uint32_t y = 0; y < height; y++) row(target + 3ull * width * y, rows + stride * y, width);
  return 0;
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__TINYC__)
#include <tmmintrin.h>

/* 16 pixels at a time: the three good bytes of each four are moved together, and four times 12 bytes make three times 16.
 * What is read was written by another core a moment ago and is asked for ahead; what is written is not read here again, so
 * whole lines go past the caches where they are aligned, which spares fetching the slot's old bytes. A 1080p
 * picture takes less than half as long as by the plain loop. commit begins with the sfence that such stores need. */
__attribute__((target("ssse3"), always_inline)) static inline uint32_t streamem__bgrx_steps(uint8_t *bgr, const uint8_t *bgrx,
                                                                                           uint32_t width, int aligned) {
  const __m128i pack = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, bgrx += 64) {
    _mm_prefetch((const char *)bgrx + 1024, _MM_HINT_T0);
    __m128i a = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx)), pack);
    __m128i b = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 16)), pack);
    __m128i c = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 32)), pack);
    __m128i d = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(bgrx + 48)), pack);
    __m128i first = _mm_or_si128(a, _mm_slli_si128(b, 12));
    __m128i second = _mm_or_si128(_mm_srli_si128(b, 4), _mm_slli_si128(c, 8));
    __m128i third = _mm_or_si128(_mm_srli_si128(c, 8), _mm_slli_si128(d, 4));
    if (aligned) {
      _mm_stream_si128((__m128i *)(bgr), first);
      _mm_stream_si128((__m128i *)(bgr + 16), second);
      _mm_stream_si128((__m128i *)(bgr + 32), third);
    } else {
      _mm_storeu_si128((__m128i *)(bgr), first);
      _mm_storeu_si128((__m128i *)(bgr + 16), second);
      _mm_storeu_si128((__m128i *)(bgr + 32), third);
    }
  }
  return column;
}

__attribute__((target("ssse3"))) static void streamem__bgrx_row_fast(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  int aligned = ((intptr_t)bgr & 15) == 0;
  uint32_t column = aligned ? streamem__bgrx_steps(bgr, bgrx, width, 1) : streamem__bgrx_steps(bgr, bgrx, width, 0);
  streamem__bgrx_row_plain(bgr + 3ull * column, bgrx + 4ull * column, width - column);
}

static streamem__bgrx_row *streamem__bgrx_best(void) {
  return __builtin_cpu_supports("ssse3") ? streamem__bgrx_row_fast : streamem__bgrx_row_plain;
}

#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>

/* Loads that take four bytes apart, stores that put three together. Every 64-bit ARM has them. */
static void streamem__bgrx_row_fast(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, bgrx += 64) {
    uint8x16x4_t from = vld4q_u8(bgrx);
    uint8x16x3_t to = {{from.val[0], from.val[1], from.val[2]}};
    vst3q_u8(bgr, to);
  }
  streamem__bgrx_row_plain(bgr, bgrx, width - column);
}

static streamem__bgrx_row *streamem__bgrx_best(void) { return streamem__bgrx_row_fast; }

#else

static streamem__bgrx_row *streamem__bgrx_best(void) { return streamem__bgrx_row_plain; }

#endif

STREAMEM_API int streamem_bgrx_rows(uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes, uint64_t stride,
                                    uint32_t width, uint32_t height) {
  return streamem__bgrx_rows(streamem__bgrx_best(), target, target_bytes, rows, bytes, stride, width, height);
}

/* For the test that holds one to the other. */
STREAMEM_API int streamem_bgrx_rows_plain(uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes, uint64_t stride,
                                          uint32_t width, uint32_t height) {
  return streamem__bgrx_rows(streamem__bgrx_row_plain, target, target_bytes, rows, bytes, stride, width, height);
}
