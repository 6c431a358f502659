// The boxes of a structured caption: [top, left, bottom, right] in thousandths of the picture.

export type Box = [number, number, number, number]

const LEAST = 10
const within = (n: number, low: number, high: number): number => Math.round(Math.min(high, Math.max(low, n)))

/** A box moved as it is; it stays inside the picture. */
export function moved([top, left, bottom, right]: Box, down: number, across: number): Box {
  const dy = within(down, -top, 1000 - bottom)
  const dx = within(across, -left, 1000 - right)
  return [top + dy, left + dx, bottom + dy, right + dx]
}

/** A box whose lower right corner is moved; it never gets smaller than a hundredth. */
export const resized = ([top, left, bottom, right]: Box, down: number, across: number): Box => [
  top, left, within(bottom + down, Math.min(1000, top + LEAST), 1000), within(right + across, Math.min(1000, left + LEAST), 1000),
]

/** As small as what a plain click draws, or a hand that shakes. */
export const isTiny = ([top, left, bottom, right]: readonly number[]): boolean => Math.max(bottom - top, right - left) < 15

/** The box between two corners, whichever they are. */
export function between(y0: number, x0: number, y1: number, x1: number): Box {
  const [top, bottom] = [Math.min(y0, y1), Math.max(y0, y1)].map((n) => within(n, 0, 1000))
  const [left, right] = [Math.min(x0, x1), Math.max(x0, x1)].map((n) => within(n, 0, 1000))
  return resized([Math.min(top, 1000 - LEAST), Math.min(left, 1000 - LEAST), bottom, right], 0, 0)
}
