/* Small pictures of frames in a ring's file, for people to look at: boxes of n x n pixels become one, their mean. The file
 * is read a band of n rows at a time into memory that stays in the cache: a frame is never copied whole, and a file that
 * its owner cuts short costs a short read. All return 0, or STREAMEM_SHORT where the file or a buffer is too small. */

#define STREAMEM__BOX_MAX 256 /* so that sums of a column of 8 bits fit 16 */

/* n rows of the file, the last one without what may follow its pixels, and the sums of their columns. */
typedef struct streamem__band {
  int fd;
  uint64_t offset, stride, row_bytes;
  uint32_t n;
  uint8_t *rows;
  uint16_t *sums;
  uint8_t *means;
} streamem__band;

#define STREAMEM__VECTORS 64 /* places behind a row that loops of vectors may touch */

static int streamem__read_at(int fd, uint8_t *to, uint64_t bytes, uint64_t at) {
  while (bytes) {
    ssize_t got = pread(fd, to, bytes, (off_t)at);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return STREAMEM_SHORT;
    to += got;
    at += (uint64_t)got;
    bytes -= (uint64_t)got;
  }
  return 0;
}

static int streamem__band_open(streamem__band *band, int fd, uint64_t offset, uint64_t stride, uint64_t row_bytes, uint32_t n) {
  memset(band, 0, sizeof *band);
  if (!row_bytes || row_bytes > 1u << 20 || stride < row_bytes || stride > 1u << 24) return STREAMEM_SHORT;
  band->fd = fd;
  band->offset = offset;
  band->stride = stride;
  band->row_bytes = row_bytes;
  band->n = n;
  band->rows = (uint8_t *)malloc(stride * n);
  band->sums = (uint16_t *)calloc(row_bytes + STREAMEM__VECTORS, sizeof *band->sums);
  band->means = (uint8_t *)malloc(row_bytes + STREAMEM__VECTORS);
  return band->rows && band->sums && band->means ? 0 : STREAMEM_SHORT;
}

static void streamem__band_close(streamem__band *band) {
  free(band->rows);
  free(band->sums);
  free(band->means);
}

/* Rows number * n to number * n + n - 1. */
static int streamem__band_read(streamem__band *band, uint32_t number) {
  uint64_t bytes = band->stride * (band->n - 1) + band->row_bytes;
  int result = streamem__read_at(band->fd, band->rows, bytes, band->offset + (uint64_t)number * band->n * band->stride);
  if (result) return result;
  memset(band->sums, 0, band->row_bytes * sizeof *band->sums);
  for (uint32_t row = 0; row < band->n; row++) streamem__add_row(band->sums, band->rows + row * band->stride, band->row_bytes);
  return 0;
}

/* The mean of `count` values by a multiplication: exact for boxes of up to 16 x 16, never off by more than one. */
typedef struct streamem__mean { uint64_t inverse, half; } streamem__mean;
static streamem__mean streamem__mean_of(uint32_t count) {
  streamem__mean mean = {(0x100000000ull + count - 1) / count, count / 2};
  return mean;
}
static uint8_t streamem__mean_take(const streamem__mean *mean, uint32_t sum) { return (uint8_t)(((sum + mean->half) * mean->inverse) >> 32); }

/* Comes before all else: it also says whether there is such a box. */
static int streamem__room(uint64_t target_bytes, uint32_t width, uint32_t height, uint32_t n, uint64_t pixel_bytes) {
  return n >= 1 && n <= STREAMEM__BOX_MAX && target_bytes >= (uint64_t)(width / n) * (height / n) * pixel_bytes;
}

/* Rows as they are, without what may lie between them. */
static int streamem__read_rows(uint8_t *target, int fd, uint64_t offset, uint64_t stride, uint64_t row_bytes, uint32_t height) {
  if (stride == row_bytes) return streamem__read_at(fd, target, row_bytes * height, offset);
  for (uint32_t y = 0; y < height; y++) {
    int result = streamem__read_at(fd, target + y * row_bytes, row_bytes, offset + y * stride);
    if (result) return result;
  }
  return 0;
}

/* Pixels of 1 to 4 samples of 8 bits each, in their order. */
STREAMEM_API int streamem_shrink(uint8_t *target, uint64_t target_bytes, int fd, uint64_t offset, uint64_t stride, uint32_t width,
                                 uint32_t height, uint32_t samples, uint32_t n) {
  if (samples < 1 || samples > 4 || !streamem__room(target_bytes, width, height, n, samples)) return STREAMEM_SHORT;
  if (n == 1) return streamem__read_rows(target, fd, offset, stride, (uint64_t)width * samples, height);
  streamem__band band;
  int result = streamem__band_open(&band, fd, offset, stride, (uint64_t)width * samples, n);
  streamem__mean mean = streamem__mean_of(n * n);
  uint32_t columns = width / n;
  for (uint32_t y = 0; !result && y < height / n; y++) {
    result = streamem__band_read(&band, y);
    if (result) break;
    if (columns && streamem__mean_row(target, band.sums, band.means, columns, samples, n)) {
      target += (uint64_t)columns * samples;
      continue;
    }
    const uint16_t *from = band.sums;
    for (uint32_t x = 0; x < columns; x++, from += n * samples) {
      for (uint32_t sample = 0; sample < samples; sample++) {
        uint32_t sum = 0;
        for (uint32_t i = sample; i < n * samples; i += samples) sum += from[i];
        *target++ = streamem__mean_take(&mean, sum);
      }
    }
  }
  streamem__band_close(&band);
  return result;
}

static uint8_t streamem__to_byte(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

/* In limited range, with the matrices of src/pictures/pixels.ts. */
typedef struct streamem__matrix { int rv, gu, gv, bu; } streamem__matrix;
static const streamem__matrix streamem__bt601 = {409, 100, 208, 516}, streamem__bt709 = {459, 55, 136, 541};

static void streamem__rgb_of(uint8_t *rgb, const streamem__matrix *matrix, int luma, int u, int v) {
  int base = 298 * (luma - 16) + 128;
  rgb[0] = streamem__to_byte((base + matrix->rv * (v - 128)) >> 8);
  rgb[1] = streamem__to_byte((base - matrix->gu * (u - 128) - matrix->gv * (v - 128)) >> 8);
  rgb[2] = streamem__to_byte((base + matrix->bu * (u - 128)) >> 8);
}

/* 4:2:2 in words of two bytes, to RGB: rows of brightness in each word's second byte, rows of blue and red by turns in the
 * byte `chroma_at` of each word. U Y V Y is both in one (chroma's offset is luma's, its byte 0); of 16 bits the high ones count. */
STREAMEM_API int streamem_shrink_422(uint8_t *target, uint64_t target_bytes, int fd, uint64_t luma_offset, uint64_t chroma_offset,
                                     uint32_t chroma_at, uint64_t stride, uint32_t width, uint32_t height, uint32_t n) {
  if (width % 2 || chroma_at > 1 || !streamem__room(target_bytes, width, height, n, 3)) return STREAMEM_SHORT;
  streamem__band luma, chroma;
  int one = chroma_offset == luma_offset;
  int result = streamem__band_open(&luma, fd, luma_offset, stride, (uint64_t)width * 2, n);
  memset(&chroma, 0, sizeof chroma);
  if (!result && !one) result = streamem__band_open(&chroma, fd, chroma_offset, stride, (uint64_t)width * 2, n);
  const uint16_t *sums = one ? luma.sums : chroma.sums;
  streamem__mean mean = streamem__mean_of(n * n);
  for (uint32_t y = 0; !result && y < height / n; y++) {
    result = streamem__band_read(&luma, y);
    if (!result && !one) result = streamem__band_read(&chroma, y);
    for (uint32_t x = 0; !result && x < width / n; x++, target += 3) {
      uint32_t bright = 0, u = 0, v = 0;
      for (uint32_t pixel = x * n; pixel < x * n + n; pixel++) {
        const uint16_t *pair = sums + pixel / 2 * 4 + chroma_at;
        bright += luma.sums[2 * pixel + 1];
        u += pair[0];
        v += pair[2];
      }
      streamem__rgb_of(target, &streamem__bt709, streamem__mean_take(&mean, bright), streamem__mean_take(&mean, u),
                       streamem__mean_take(&mean, v));
    }
  }
  streamem__band_close(&luma);
  streamem__band_close(&chroma);
  return result;
}

/* Shrunk planes to RGB: chroma of chroma_width x chroma_height, `step` bytes from one sample to the next. */
STREAMEM_API int streamem_yuv_to_rgb(uint8_t *target, uint64_t target_bytes, const uint8_t *luma, uint64_t luma_bytes, const uint8_t *u,
                                     const uint8_t *v, uint64_t chroma_bytes, uint32_t step, uint32_t width, uint32_t height,
                                     uint32_t chroma_width, uint32_t chroma_height) {
  if (!streamem__room(target_bytes, width, height, 1, 3) || luma_bytes < (uint64_t)width * height) return STREAMEM_SHORT;
  if (!chroma_width || !chroma_height || chroma_bytes < ((uint64_t)chroma_width * chroma_height - 1) * step + 1) return STREAMEM_SHORT;
  for (uint32_t y = 0; y < height; y++) {
    uint64_t row = (uint64_t)(y / 2 < chroma_height ? y / 2 : chroma_height - 1) * chroma_width;
    for (uint32_t x = 0; x < width; x++, target += 3) {
      uint64_t at = (row + (x / 2 < chroma_width ? x / 2 : chroma_width - 1)) * step;
      streamem__rgb_of(target, &streamem__bt601, *luma++, u[at], v[at]);
    }
  }
  return 0;
}

/* Of pixels of 16 bits the one in the middle of each box: a mean of depths is a place where nothing is. */
STREAMEM_API int streamem_pick_16(uint16_t *target, uint64_t target_bytes, int fd, uint64_t offset, uint64_t stride, uint32_t width,
                                  uint32_t height, uint32_t n) {
  if (!streamem__room(target_bytes, width, height, n, 2) || stride < (uint64_t)width * 2 || width > 1u << 20) return STREAMEM_SHORT;
  uint16_t *row = (uint16_t *)malloc((uint64_t)width * 2);
  int result = row ? 0 : STREAMEM_SHORT;
  for (uint32_t y = 0; !result && y < height / n; y++) {
    result = streamem__read_at(fd, (uint8_t *)row, (uint64_t)width * 2, offset + ((uint64_t)y * n + n / 2) * stride);
    for (uint32_t x = 0; !result && x < width / n; x++) *target++ = row[x * n + n / 2];
  }
  free(row);
  return result;
}
