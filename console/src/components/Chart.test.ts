import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Line } from './Chart.svelte'

// jsdom draws nothing and has no sizes: a pen that writes down the numbers it is told, and a place 600 pixels wide.
const told: number[] = []
const written: string[] = []
let strokes = 0
const write = (...numbers: unknown[]) => void told.push(...numbers.filter((one): one is number => typeof one === 'number'))
class Path {
  moveTo = write
  lineTo = write
  rect = write
  arc = write
  addPath() {}
  closePath() {}
}
const pen: unknown = new Proxy({}, {
  get: (_, name) => name === 'measureText' ? () => ({ width: 20 }) : name === 'stroke' ? () => void strokes++ : name === 'fillText' ? (text: string) => void written.push(text) : ['moveTo', 'lineTo', 'rect', 'fillRect'].includes(String(name)) ? write : () => {},
  set: () => true,
})
let chart: ReturnType<typeof mount> | null = null
let Chart: typeof import('./Chart.svelte').default

beforeAll(async () => {
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener() {}, removeEventListener() {} }))
  vi.stubGlobal('Path2D', Path)
  vi.stubGlobal('ResizeObserver', class { observe() {} unobserve() {} disconnect() {} })
  vi.spyOn(HTMLElement.prototype, 'clientWidth', 'get').mockReturnValue(600)
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(pen as never)
  Chart = (await import('./Chart.svelte')).default // uPlot looks at these when it is loaded
  return () => void (vi.restoreAllMocks(), vi.unstubAllGlobals())
})
afterEach(async () => {
  if (chart) await unmount(chart)
  chart = null
  told.length = written.length = strokes = 0
})

async function shown(lines: Line[], log = true, days = false) {
  chart = mount(Chart, { target: document.body, props: { lines, label: 'Loss', log, days } })
  flushSync()
  await new Promise((go) => setTimeout(go, 20)) // uPlot draws a moment later
}
const legend = () => [...document.querySelectorAll('figcaption .key')].map((one) => one.textContent)

describe('the chart', () => {
  it('draws a loss that falls to zero, or is no number for a while, without leaving its frame', async () => {
    await shown([{ name: 'a', x: [1, 2, 3, 4, 5], y: [1, 0.5, NaN, 0, 0.01] }])
    expect(document.querySelector('.chart canvas')).not.toBeNull()
    expect(strokes).toBeGreaterThan(0)
    expect(told.length).toBeGreaterThan(0)
    expect(told.every((one) => Number.isFinite(one) && Math.abs(one) < 10_000)).toBe(true)
    expect(legend()).toEqual(['a0.01'])
  })
  it('of a run without a step is empty, and says so', async () => {
    await shown([{ name: 'nothing', x: [], y: [] }])
    expect(document.querySelector('.chart canvas')).not.toBeNull()
    expect(legend()).toEqual(['nothing–'])
  })
  it('names every line and its last value', async () => {
    await shown([{ name: 'each step', x: [1, 2], y: [3, 2], faint: true }, { name: 'smoothed', x: [1, 2], y: [3, 2.5] }])
    expect(legend()).toEqual(['each step2', 'smoothed2.5'])
  })
  it('of days counts in whole numbers', async () => {
    await shown([{ name: 'images', x: [0, 86_400, 172_800], y: [0, 0, 1] }], false, true)
    expect(written).toContain('1')
    expect(written.filter((one) => /^\d+\.\d+$/.test(one))).toEqual([])
  })
  it('takes eight runs of 10,000 points, and a linear axis takes zero', async () => {
    const x = Array.from({ length: 10_000 }, (_, i) => i)
    const began = process.cpuUsage()
    await shown(Array.from({ length: 8 }, (_, run) => ({ name: `run ${run}`, x, y: x.map((step) => run + 1 / (1 + step)) })), false)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000).toBeLessThan(3000)
    expect(legend().length).toBe(8)
    expect(told.every((one) => Number.isFinite(one))).toBe(true)
  })
})
