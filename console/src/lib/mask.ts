// A mask in the size of its picture: which pixels are repainted. Pure, so that the painter only has to show it.

const MOST_UNDO_BYTES = 64 * 1024 * 1024

/** Whole pixels: from the first column and row, so many of each. */
export interface Box {
  x: number
  y: number
  width: number
  height: number
}

export class Mask {
  /** 1: repainted; 0: kept. A pixel each, row by row. */
  readonly data: Uint8Array
  private past: Uint8Array[] = []

  constructor(readonly width: number, readonly height: number) {
    this.data = new Uint8Array(width * height)
  }

  get isEmpty(): boolean {
    return !this.data.includes(1)
  }

  get canUndo(): boolean {
    return this.past.length > 0
  }

  /** What follows, up to the next call, is one thing to undo. */
  begin(): void {
    this.past.push(this.data.slice())
    while (this.past.length > 1 && this.past.length * this.data.length > MOST_UNDO_BYTES) this.past.shift()
  }

  /** Back to before the last thing that changed anything. False where there is none. */
  undo(): boolean {
    for (let before = this.past.pop(); before; before = this.past.pop()) {
      if (before.every((one, i) => one === this.data[i])) continue
      this.data.set(before)
      return true
    }
    return false
  }

  /** What was begun was not meant: as if it had not been. */
  cancel(): void {
    const before = this.past.pop()
    if (before) this.data.set(before)
  }

  /** As a mask's file has it (red, green, blue, alpha a pixel, of this size): what is dark is repainted. */
  take(pixels: Uint8ClampedArray): void {
    for (let i = 0; i < this.data.length; i++) this.data[i] = pixels[i * 4] < 128 ? 1 : 0
  }

  /** A round brush of this radius (pixels) from one point to another; `value` 0 erases. The box that it stayed inside. */
  stroke(fromX: number, fromY: number, toX: number, toY: number, radius: number, value: 0 | 1): Box {
    const r = Math.max(radius, 0.5)
    const left = Math.max(0, Math.floor(Math.min(fromX, toX) - r))
    const right = Math.min(this.width - 1, Math.ceil(Math.max(fromX, toX) + r))
    const top = Math.max(0, Math.floor(Math.min(fromY, toY) - r))
    const bottom = Math.min(this.height - 1, Math.ceil(Math.max(fromY, toY) + r))
    const dx = toX - fromX
    const dy = toY - fromY
    const length = dx * dx + dy * dy
    for (let y = top; y <= bottom; y++) {
      for (let x = left; x <= right; x++) {
        const px = x + 0.5 - fromX
        const py = y + 0.5 - fromY
        const along = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0
        const ax = px - along * dx
        const ay = py - along * dy
        if (ax * ax + ay * ay <= r * r) this.data[y * this.width + x] = value
      }
    }
    return { x: left, y: top, width: Math.max(0, right - left + 1), height: Math.max(0, bottom - top + 1) }
  }

  /** Fills what is connected with this point and like it, up to what is not. */
  fill(x: number, y: number, value: 0 | 1): void {
    const column = Math.floor(x)
    const row = Math.floor(y)
    if (column < 0 || row < 0 || column >= this.width || row >= this.height) return
    const start = row * this.width + column
    if (this.data[start] === value) return
    const next = [start]
    this.data[start] = value
    while (next.length) {
      const at = next.pop()!
      const here = at % this.width
      const around = [at - this.width, at + this.width, here ? at - 1 : -1, here < this.width - 1 ? at + 1 : -1]
      for (const one of around) {
        if (one >= 0 && one < this.data.length && this.data[one] !== value) {
          this.data[one] = value
          next.push(one)
        }
      }
    }
  }

  invert(): void {
    for (let i = 0; i < this.data.length; i++) this.data[i] ^= 1
  }

  all(value: 0 | 1): void {
    this.data.fill(value)
  }

  /** As pixels: black is repainted, white is kept. */
  pixels(): Uint8ClampedArray<ArrayBuffer> {
    return this.coloured([0, 0, 0, 255], [255, 255, 255, 255])
  }

  /** As pixels in two colours (red, green, blue, alpha), for what is repainted and what is kept; of a part of it. */
  coloured(repainted: Colour, kept: Colour, part: Box = { x: 0, y: 0, width: this.width, height: this.height }): Uint8ClampedArray<ArrayBuffer> {
    const out = new Uint8ClampedArray(part.width * part.height * 4)
    const [on, off] = new Uint32Array(new Uint8Array([...repainted, ...kept]).buffer)
    const words = new Uint32Array(out.buffer) // a pixel at once: a picture of 4,096 x 4,096 has 16 million
    for (let y = 0, at = 0; y < part.height; y++) {
      const row = (part.y + y) * this.width + part.x
      for (let x = 0; x < part.width; x++) words[at++] = this.data[row + x] ? on : off
    }
    return out
  }
}

export type Colour = [number, number, number, number]
