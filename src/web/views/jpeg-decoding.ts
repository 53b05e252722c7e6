/** A JPEG as something that a canvas draws, decoded beside the page's own work. */

interface Decoded {
  image: CanvasImageSource;
  width: number;
  height: number;
  close(): void;
}

/** Rejects where it is none. Close what it gives after drawing it. */
export function decodeJpeg(bytes: Uint8Array): Promise<Decoded> {
  return "ImageDecoder" in window ? decodeBytes(bytes) : decodeBlob(bytes);
}

/** A third of the way below: no Blob, which is another process's, is made of each picture. Only where the page comes from this machine. */
async function decodeBytes(data: Uint8Array): Promise<Decoded> {
  const decoder = new ImageDecoder({ type: "image/jpeg", data: data as Uint8Array<ArrayBuffer> });
  try {
    const { image } = await decoder.decode();
    const { displayWidth: width, displayHeight: height } = image;
    return { image, width, height, close: () => image.close() };
  } finally {
    decoder.close();
  }
}

async function decodeBlob(bytes: Uint8Array): Promise<Decoded> {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "image/jpeg" });
  const image = await createImageBitmap(blob);
  const { width, height } = image;
  return { image, width, height, close: () => image.close() };
}
