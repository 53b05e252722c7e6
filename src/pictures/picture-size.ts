/** How large the picture is that a frame of some shape holds. The page takes this too: it needs nothing else. */

export interface PictureSize {
  width: number;
  height: number;
}

/**
 * Frames are (height, width, …); those of FFmpeg's planar formats have their planes below each other in
 * (height * 3 / 2, width) of 8 bits, or as (2, height, width) of 16. The height is not whole where the shape is none of these.
 */
export function pictureSize(
  format: string | null | undefined,
  shape: readonly number[],
): PictureSize {
  const [first = 0, second = 0, third = 0] = shape;
  if (format === "p216le") return { width: third, height: second };
  if (format === "nv12" || format === "yuv420p") return { width: second, height: (first * 2) / 3 };
  return { width: second, height: first };
}
