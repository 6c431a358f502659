// PNG files as bytes: written from pixels, and given a text. The browser's own encoder knows no texts.

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10]
const TABLE = Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c >>> 0
})

function crc(bytes: Uint8Array): number {
  let c = 0xffffffff
  for (const one of bytes) c = TABLE[(c ^ one) & 255] ^ (c >>> 8)
  return (c ^ 0xffffffff) >>> 0
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const out = new Uint8Array(12 + data.length)
  const view = new DataView(out.buffer)
  view.setUint32(0, data.length)
  out.set(new TextEncoder().encode(type), 4)
  out.set(data, 8)
  view.setUint32(8 + data.length, crc(out.subarray(4, 8 + data.length)))
  return out
}

/** The file with one more text (iTXt, UTF-8) under this keyword; one that is there under the same word goes. */
export function withText(png: Uint8Array, keyword: string, text: string): Uint8Array<ArrayBuffer> {
  if (SIGNATURE.some((one, i) => png[i] !== one)) throw new Error('no PNG file')
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  const kept: Uint8Array[] = [png.subarray(0, 8)]
  const word = new TextEncoder().encode(keyword)
  for (let at = 8; at + 12 <= png.length; ) {
    const length = view.getUint32(at)
    const one = png.subarray(at, at + 12 + length)
    const type = String.fromCharCode(...one.subarray(4, 8))
    const same = type === 'iTXt' && word.every((letter, i) => one[8 + i] === letter) && one[8 + word.length] === 0
    if (type === 'IEND') kept.push(chunk('iTXt', new Uint8Array([...word, 0, 0, 0, 0, 0, ...new TextEncoder().encode(text)])))
    if (!same) kept.push(one)
    at += 12 + length
  }
  const out = new Uint8Array(kept.reduce((sum, one) => sum + one.length, 0))
  let at = 0
  for (const one of kept) {
    out.set(one, at)
    at += one.length
  }
  return out
}

/** Pixels (red, green, blue, alpha) as a PNG file, by the browser's encoder. */
export async function encoded(pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = width
  canvas.height = height
  canvas.getContext('2d')!.putImageData(new ImageData(pixels, width, height), 0, 0)
  return new Promise((done, failed) => {
    canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error('the mask could not be written'))), 'image/png')
  })
}

/** The pixels of a picture's file. */
export async function decoded(file: Blob): Promise<ImageData> {
  const bitmap = await createImageBitmap(file)
  const canvas = document.createElement('canvas')
  canvas.width = bitmap.width
  canvas.height = bitmap.height
  const context = canvas.getContext('2d')!
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return context.getImageData(0, 0, canvas.width, canvas.height)
}
