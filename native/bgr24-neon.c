/* bgr24.c, 16 pixels at a time on arm64: loads that take groups of four bytes apart, stores that put three together.
 * Every 64-bit ARM has them. */
#include <arm_neon.h>

static void streamem__bgrx_row_neon(uint8_t *bgr, const uint8_t *bgrx, uint32_t width) {
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, bgrx += 64) {
    uint8x16x4_t from = vld4q_u8(bgrx);
    uint8x16x3_t to = {{from.val[0], from.val[1], from.val[2]}};
    vst3q_u8(bgr, to);
  }
  streamem__bgrx_row_plain(bgr, bgrx, width - column);
}

static inline int16x8_t streamem__scaled(uint8x8_t bytes, int16_t zero) {
  return vshlq_n_s16(vsubq_s16(vreinterpretq_s16_u16(vmovl_u8(bytes)), vdupq_n_s16(zero)), 7);
}

/* To bytes; of each pair of pixels one after the other. */
static inline uint8x16_t streamem__bytes_of(int16x8_t even, int16x8_t odd) {
  uint8x8x2_t pairs = vzip_u8(vqrshrun_n_s16(even, 5), vqrshrun_n_s16(odd, 5));
  return vcombine_u8(pairs.val[0], pairs.val[1]);
}

static void streamem__uyvy_row_neon(uint8_t *bgr, const uint8_t *uyvy, uint32_t width) {
  uint32_t column = 0;
  for (; width - column >= 16; column += 16, bgr += 48, uyvy += 32) {
    uint8x8x4_t from = vld4_u8(uyvy);
    int16x8_t u = streamem__scaled(from.val[0], 128), v = streamem__scaled(from.val[2], 128);
    int16x8_t even = vqrdmulhq_n_s16(streamem__scaled(from.val[1], 16), streamem__y);
    int16x8_t odd = vqrdmulhq_n_s16(streamem__scaled(from.val[3], 16), streamem__y);
    int16x8_t blue = vqrdmulhq_n_s16(u, streamem__bu), red = vqrdmulhq_n_s16(v, streamem__rv);
    int16x8_t of_u = vqrdmulhq_n_s16(u, streamem__gu), of_v = vqrdmulhq_n_s16(v, streamem__gv);
    uint8x16x3_t to = {{
        streamem__bytes_of(vaddq_s16(even, blue), vaddq_s16(odd, blue)),
        streamem__bytes_of(vsubq_s16(vsubq_s16(even, of_u), of_v), vsubq_s16(vsubq_s16(odd, of_u), of_v)),
        streamem__bytes_of(vaddq_s16(even, red), vaddq_s16(odd, red)),
    }};
    vst3q_u8(bgr, to);
  }
  streamem__uyvy_row_plain(bgr, uyvy, width - column);
}

static streamem__bgr24_row *streamem__bgrx_row(void) { return streamem__bgrx_row_neon; }
static streamem__bgr24_row *streamem__uyvy_row(void) { return streamem__uyvy_row_neon; }
