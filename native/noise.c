/* The picture of rand-camera: noise that any reader can verify. Word 0 is the seed (the frame's sequence), word i is
 * splitmix64(seed + i * golden ratio), little-endian; a tail of less than 8 bytes stays as it is.
 * Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014. */

STREAMEM_API void streamem_fill_noise(void *target, uint64_t bytes, uint64_t seed) {
  uint64_t *word = (uint64_t *)target;
  uint64_t count = bytes / 8;
  if (count) word[0] = seed;
  for (uint64_t i = 1; i < count; i++) {
    uint64_t z = seed + i * 0x9e3779b97f4a7c15ull;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    word[i] = z ^ (z >> 31);
  }
}
