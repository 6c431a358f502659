// Lines that each have their own x, on one x: what a chart draws.

/** What an axis can show: no endless number and none that is no number; on a logarithmic one nothing below or at zero. */
export function drawable(y: readonly (number | null)[], log: boolean): (number | null)[] {
  return y.map((one) => (one !== null && Number.isFinite(one) && (one > 0 || !log) ? one : null))
}

/** The sorted union of all x, then each line's y there; null where it has none. Each line's x must ascend. */
export function joined(lines: { x: readonly number[]; y: readonly (number | null)[] }[]): (number | null)[][] {
  if (lines.length === 0) return [[]]
  if (lines.every((one) => one.x === lines[0].x)) return [[...lines[0].x], ...lines.map((one) => [...one.y])]
  const all = new Float64Array(lines.reduce((sum, one) => sum + one.x.length, 0))
  let filled = 0
  for (const one of lines) {
    all.set(one.x as number[], filled)
    filled += one.x.length
  }
  all.sort()
  const x: number[] = []
  for (const value of all) if (x.length === 0 || x[x.length - 1] !== value) x.push(value)
  return [x, ...lines.map((one) => {
    let next = 0
    return x.map((value) => (one.x[next] === value ? one.y[next++] : null))
  })]
}
