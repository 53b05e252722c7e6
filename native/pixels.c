/* Loops over the pixels of a headset's cameras, from decoded planes and unpacked codes into slots of a ring. What they
 * read came from a network: every length is given and checked here, nothing outside is read or written. All return 0,
 * STREAMEM_SHORT where a buffer is too small for the picture, or STREAMEM_BROKEN where what is read contradicts itself. */

#define STREAMEM_SHORT (-1)
#define STREAMEM_BROKEN (-2)

/* Rows as a decoder gives them: longer than the picture. */
static int streamem__has_rows(uint64_t bytes, uint64_t stride, uint32_t width, uint32_t height) {
  if (!width || !height || stride < width || stride > 0xffffffffull) return 0;
  return bytes >= stride * (height - 1) + width; /* below 2^64: 32 bits times 32 bits */
}

static int streamem__has_pixels(uint64_t bytes, uint64_t pixel_bytes, uint32_t width, uint32_t height) {
  return bytes / pixel_bytes >= (uint64_t)width * height;
}

STREAMEM_API int streamem_copy_rows(uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes, uint64_t stride,
                                    uint32_t width, uint32_t height) {
  if (!streamem__has_rows(bytes, stride, width, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(target_bytes, 1, width, height)) return STREAMEM_SHORT;
  for (uint32_t row = 0; row < height; row++) memcpy(target + (uint64_t)row * width, rows + row * stride, width);
  return 0;
}

/* Grey three times: blue, green, red. */
STREAMEM_API int streamem_triple_rows(uint8_t *target, uint64_t target_bytes, const uint8_t *rows, uint64_t bytes, uint64_t stride,
                                      uint32_t width, uint32_t height) {
  if (!streamem__has_rows(bytes, stride, width, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(target_bytes, 3, width, height)) return STREAMEM_SHORT;
  for (uint32_t row = 0; row < height; row++) {
    const uint8_t *from = rows + row * stride;
    for (uint32_t column = 0; column < width; column++, target += 3) target[0] = target[1] = target[2] = from[column];
  }
  return 0;
}

/* Near depth inside a picture: each Y is a quarter of the depth. */
STREAMEM_API int streamem_ahat_depth(uint16_t *depth, uint64_t depth_bytes, const uint8_t *y, uint64_t bytes, uint64_t stride,
                                     uint32_t width, uint32_t height) {
  if (!streamem__has_rows(bytes, stride, width, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(depth_bytes, 2, width, height)) return STREAMEM_SHORT;
  for (uint32_t row = 0; row < height; row++, depth += width) {
    const uint8_t *from = y + row * stride;
    for (uint32_t column = 0; column < width; column++) depth[column] = (uint16_t)(from[column] << 2);
  }
  return 0;
}

/* Active brightness beside Zdepth: each Y is its square root. */
STREAMEM_API int streamem_ahat_ab_luma(uint16_t *ab, uint64_t ab_bytes, const uint8_t *y, uint64_t bytes, uint64_t stride,
                                       uint32_t width, uint32_t height) {
  if (!streamem__has_rows(bytes, stride, width, height)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(ab_bytes, 2, width, height)) return STREAMEM_SHORT;
  for (uint32_t row = 0; row < height; row++, ab += width) {
    const uint8_t *from = y + row * stride;
    for (uint32_t column = 0; column < width; column++) ab[column] = (uint16_t)(from[column] * from[column]);
  }
  return 0;
}

/* Active brightness in the chroma: square roots of every other pixel, by turns in U and V. A row of the image has half a
 * row of each plane. */
STREAMEM_API int streamem_ahat_ab(uint16_t *ab, uint64_t ab_bytes, const uint8_t *u, uint64_t u_bytes, uint64_t u_stride, const uint8_t *v,
                                  uint64_t v_bytes, uint64_t v_stride, uint32_t width, uint32_t height) {
  if (width % 4 || height % 2) return STREAMEM_BROKEN;
  if (!streamem__has_rows(u_bytes, u_stride, width / 2, height / 2)) return STREAMEM_SHORT;
  if (!streamem__has_rows(v_bytes, v_stride, width / 2, height / 2)) return STREAMEM_SHORT;
  if (!streamem__has_pixels(ab_bytes, 2, width, height)) return STREAMEM_SHORT;
  uint32_t quarter = width / 4;
  for (uint32_t row = 0; row < height; row++) {
    const uint8_t *from_u = u + (row / 2) * u_stride + (row & 1) * quarter;
    const uint8_t *from_v = v + (row / 2) * v_stride + (row & 1) * quarter;
    for (uint32_t column = 0; column < quarter; column++, ab += 4) {
      ab[0] = ab[1] = (uint16_t)(from_u[column] * from_u[column]);
      ab[2] = ab[3] = (uint16_t)(from_v[column] * from_v[column]);
    }
  }
  return 0;
}

/* ---- Zdepth: sensors/hololens/wire/zdepth-pixels.ts says the same in JavaScript. ---------------------- */

/* 12-bit codes: the upper 8 bits of all, then the lower 4 of each two in one byte. */
typedef struct {
  const uint8_t *bytes;
  uint64_t count, read;
} streamem_codes;

static int streamem__next_code(streamem_codes *codes) {
  uint64_t i = codes->read;
  if (i >= codes->count) return -1;
  codes->read = i + 1;
  return codes->bytes[i] << 4 | ((codes->bytes[codes->count + i / 2] >> (4 * (i & 1))) & 15);
}

static int streamem__predict(int predictor, int left, int left2, int up, int up2) {
  int most = left > up ? left : up;
  switch (predictor) {
    case 1: return up ? up : left;
    case 2: return left ? left : up;
    case 3: return up && up2 ? 2 * up - up2 : most;
    case 4: return left && left2 ? 2 * left - left2 : most;
    case 5: return left && up ? (left + up) >> 1 : most;
    default: return most;
  }
}

#define STREAMEM_CODES 2040

/* Steps of 1, 2, 4, 8, 16 mm with growing distance; 0 is no depth. */
static void streamem__depths_of_codes(uint16_t *depths) {
  depths[0] = 0;
  for (int code = 1; code < STREAMEM_CODES; code++) {
    if (code < 550) depths[code] = (uint16_t)(code + 200);
    else if (code < 925) depths[code] = (uint16_t)(750 + 2 * (code - 550));
    else if (code < 1300) depths[code] = (uint16_t)(1500 + 4 * (code - 925));
    else if (code < 1675) depths[code] = (uint16_t)(3000 + 8 * (code - 1300));
    else depths[code] = (uint16_t)(6000 + 16 * (code - 1675));
  }
}

/* One block of 8x8. Blocks at the border see themselves alone; the others have two pixels on each side. What a pixel
 * refers to has been decoded before it, so its own mark (1: not zero) can lie where its code will. */
static int streamem__zdepth_block(uint16_t *block, uint32_t width, int border, int predictor, streamem_codes *edges, streamem_codes *surfaces) {
  for (int y = 0; y < 8; y++, block += width) {
    int left = border ? 0 : block[-1]; /* kept beside memory: reading back what was just written costs as much as the rest */
    int left2 = border ? 0 : block[-2];
    for (int x = 0; x < 8; x++) {
      int value = 0;
      if (block[x]) {
        int up = border && !y ? 0 : *(block + x - width);
        int up2 = border ? 0 : *(block + x - 2 * (uint64_t)width);
        int code = streamem__next_code(left && up ? surfaces : edges);
        if (code < 0) return STREAMEM_BROKEN;
        value = (uint16_t)(streamem__predict(predictor, left, left2, up, up2) + ((code >> 1) ^ -(code & 1)));
        block[x] = (uint16_t)value;
      }
      left2 = left;
      left = value;
    }
  }
  return 0;
}

/* Unpacked lists of one image to depth. `zero_map` has a bit for each pixel, `predictors` a byte for each block that is
 * neither in the first row nor the first column of blocks, `edges` and `surfaces` three bytes for two codes. */
STREAMEM_API int streamem_zdepth(uint16_t *depth, uint64_t depth_bytes, const uint8_t *zero_map, uint64_t map_bytes, const uint8_t *predictors,
                                 uint64_t predictor_count, const uint8_t *edges, uint64_t edge_bytes, const uint8_t *surfaces,
                                 uint64_t surface_bytes, uint32_t width, uint32_t height) {
  if (!width || !height || width % 8 || height % 8 || width > 65536 || height > 65536) return STREAMEM_BROKEN;
  uint64_t pixels = (uint64_t)width * height;
  if (depth_bytes / 2 < pixels || map_bytes < pixels / 8) return STREAMEM_SHORT;
  if (predictor_count < (uint64_t)(width / 8 - 1) * (height / 8 - 1)) return STREAMEM_SHORT;
  streamem_codes at_edges = {edges, edge_bytes / 3 * 2, 0};
  streamem_codes on_surfaces = {surfaces, surface_bytes / 3 * 2, 0};
  uint16_t running = 0;
  for (uint64_t i = 0; i < pixels; i++) {
    running ^= (zero_map[i / 8] >> (i & 7)) & 1;
    depth[i] = running;
  }
  for (uint32_t top = 0; top < height; top += 8) {
    for (uint32_t first = 0; first < width; first += 8) {
      int border = !top || !first;
      int predictor = border ? 0 : *predictors++;
      int result = streamem__zdepth_block(depth + (uint64_t)top * width + first, width, border, predictor, &at_edges, &on_surfaces);
      if (result) return result;
    }
  }
  uint16_t depths[STREAMEM_CODES];
  streamem__depths_of_codes(depths);
  for (uint64_t i = 0; i < pixels; i++) depth[i] = depth[i] < STREAMEM_CODES ? depths[depth[i]] : 0;
  return 0;
}

/* ---- Far depth: rows of an RGBA PNG to two planes. ----------------------------------------------------- */

static int streamem__paeth(int left, int above, int corner) {
  int by_left = above - corner, by_above = left - corner;
  int by_corner = by_left + by_above;
  by_left = by_left < 0 ? -by_left : by_left;
  by_above = by_above < 0 ? -by_above : by_above;
  by_corner = by_corner < 0 ? -by_corner : by_corner;
  /* one choice after the other: noise would make branches of "and" guess wrong at every other byte */
  int other = by_above <= by_corner ? above : corner;
  int by_other = by_above <= by_corner ? by_above : by_corner;
  return by_left <= by_other ? left : other;
}

/* In place. `above` is NULL for the first row. */
static int streamem__unfilter_row(uint8_t filter, uint8_t *row, const uint8_t *above, uint64_t bytes) {
  uint64_t i;
  switch (filter) {
    case 0: return 0;
    case 1:
      for (i = 4; i < bytes; i++) row[i] += row[i - 4];
      return 0;
    case 2:
      for (i = 0; above && i < bytes; i++) row[i] += above[i];
      return 0;
    case 3:
      for (i = 0; i < bytes; i++) row[i] += ((i < 4 ? 0 : row[i - 4]) + (above ? above[i] : 0)) >> 1;
      return 0;
    case 4:
      for (i = 0; i < bytes && i < 4; i++) row[i] += above ? above[i] : 0;
      if (!above) for (; i < bytes; i++) row[i] += row[i - 4];
      else for (; i < bytes; i++) row[i] += streamem__paeth(row[i - 4], above[i], above[i - 4]);
      return 0;
    default: return STREAMEM_BROKEN;
  }
}

/* `rows`, each with the number of its filter before it, are unfiltered where they are. Their pixels, as bytes B G R A,
 * are depth and then active brightness, 16 bits each. */
STREAMEM_API int streamem_unfilter_planes(uint16_t *depth, uint64_t depth_bytes, uint16_t *ab, uint64_t ab_bytes, uint8_t *rows, uint64_t bytes,
                                          uint32_t width, uint32_t height) {
  if (width > 65536 || height > 65536) return STREAMEM_BROKEN;
  uint64_t row_bytes = (uint64_t)width * 4, pixels = (uint64_t)width * height, at = 0;
  if (bytes < (row_bytes + 1) * height || depth_bytes / 2 < pixels || ab_bytes / 2 < pixels) return STREAMEM_SHORT;
  uint8_t *above = NULL;
  for (uint32_t y = 0; y < height; y++) {
    uint8_t *row = rows + y * (row_bytes + 1) + 1;
    int result = streamem__unfilter_row(row[-1], row, above, row_bytes);
    if (result) return result;
    above = row;
    for (uint64_t i = 0; i < row_bytes; i += 4, at += 2) {
      uint16_t *first = at < pixels ? depth + at : ab + (at - pixels);
      uint16_t *second = at + 1 < pixels ? depth + at + 1 : ab + (at + 1 - pixels);
      *first = (uint16_t)(row[i + 2] | row[i + 1] << 8);
      *second = (uint16_t)(row[i] | row[i + 3] << 8);
    }
  }
  return 0;
}
