/* What libndi delivers, to bgr24 in a slot: from UYVY, its own form of a picture, and from BGRX or BGRA, which is what a
 * source with transparency gives. No library gives 24 bits. libndi converts to BGRX too, with coefficients of six bits and
 * in several times as long as it takes here. Rows are `stride` apart; sizes come from a network and are checked as in
 * pixels.c. The plain loops are the meaning of the others, and what tests hold them to. */

typedef void streamem__bgr24_row(uint8_t *bgr, const uint8_t *from, uint32_t width);

static int streamem__bgr24_rows(streamem__bgr24_row *row, uint64_t row_bytes, uint8_t *target, uint64_t target_bytes, const uint8_t *rows,
                                uint64_t bytes, uint64_t stride, uint32_t width, uint32_t height) {
  if (!width || width > 0x3fffffff || !streamem__has_rows(bytes, stride, (uint32_t)row_bytes, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(target_bytes, 3, width, height)) return STREAMEM_SHORT;
  for (uint32_t y = 0; y < height; y++) row(target + 3ull * width * y, rows + stride * y, width);
  return 0;
}

static void streamem__bgrx_row_plain(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  for (uint32_t column = 0; column < width; column++, bgr += 3, bgrx += 4) {
    bgr[0] = bgrx[0];
    bgr[1] = bgrx[1];
    bgr[2] = bgrx[2];
  }
}

/* BT.709 with limited range, as libndi takes every picture whatever its size: 2^13 times
 * 255/219, and 2 * 255/224 times 1 - Kr, (1 - Kb) Kb / Kg, (1 - Kr) Kr / Kg, 1 - Kb with Kr 0.2126, Kb 0.0722. */
enum { streamem__y = 9539, streamem__rv = 14686, streamem__gu = 1747, streamem__gv = 4366, streamem__bu = 17305 };

/* A product's upper half, rounded: what one instruction of SSSE3 and of NEON gives. */
static int streamem__times(int value, int factor) { return (value * 128 * factor + 0x4000) >> 15; }

static uint8_t streamem__byte(int in_32nds) {
  int value = (in_32nds + 16) >> 5;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* Two pixels share the colour that stands before each of them. */
static void streamem__uyvy_row_plain(uint8_t *bgr, const uint8_t *uyvy, uint32_t width) {
  for (uint32_t column = 0; column < width; column++, bgr += 3) {
    const uint8_t *pair = uyvy + 4ull * (column / 2);
    int y = streamem__times(pair[1 + 2 * (column & 1)] - 16, streamem__y), u = pair[0] - 128, v = pair[2] - 128;
    bgr[0] = streamem__byte(y + streamem__times(u, streamem__bu));
    bgr[1] = streamem__byte(y - streamem__times(u, streamem__gu) - streamem__times(v, streamem__gv));
    bgr[2] = streamem__byte(y + streamem__times(v, streamem__rv));
  }
}

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__TINYC__)
#include "bgr24-ssse3.c"
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include "bgr24-neon.c"
#else
static streamem__bgr24_row *streamem__bgrx_row(void) { return streamem__bgrx_row_plain; }
static streamem__bgr24_row *streamem__uyvy_row(void) { return streamem__uyvy_row_plain; }
#endif

/* All four: (target, its bytes), (rows, their bytes, stride), width, height. */
#define STREAMEM__BGR24(name, row, row_bytes)                                                                                        \
  STREAMEM_API int name(uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes, uint64_t stride, uint32_t width, \
                        uint32_t height) {                                                                                            \
    return streamem__bgr24_rows(row, row_bytes, target, target_bytes, rows, bytes, stride, width, height);                            \
  }
STREAMEM__BGR24(streamem_bgrx_rows, streamem__bgrx_row(), 4ull * width)
STREAMEM__BGR24(streamem_uyvy_rows, streamem__uyvy_row(), 4ull * ((width + 1ull) / 2))
/* For the test that holds one to the other. */
STREAMEM__BGR24(streamem_bgrx_rows_plain, streamem__bgrx_row_plain, 4ull * width)
STREAMEM__BGR24(streamem_uyvy_rows_plain, streamem__uyvy_row_plain, 4ull * ((width + 1ull) / 2))
