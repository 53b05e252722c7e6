/* Loops over rows of samples in C that any compiler takes; rows-sse2.c has them for x86-64. */

/* Each sample added to the sum of its column. */
static void streamem__add_row(uint16_t *sums, const uint8_t *row, uint64_t count) {
  for (uint64_t i = 0; i < count; i++) sums[i] = (uint16_t)(sums[i] + row[i]);
}

/* Means of n columns of `samples` each: 0, since there is nothing better here than the loop for boxes of any size. */
static int streamem__mean_row(uint8_t *target, const uint16_t *sums, uint8_t *means, uint32_t columns, uint32_t samples, uint32_t n) {
  (void)target, (void)sums, (void)means, (void)columns, (void)samples, (void)n;
  return 0;
}
