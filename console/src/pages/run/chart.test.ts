import { describe, expect, it } from 'vitest'
import { drawable, joined } from '../../components/joined'
import { inWords, smoothed, Story } from './story.svelte'

describe('lines of a chart', () => {
  it('have a gap where an axis has no place for a number', () => {
    const losses = [1, 0, -1, NaN, Infinity, null]
    expect(drawable(losses, true)).toEqual([1, null, null, null, null, null])
    expect(drawable(losses, false)).toEqual([1, 0, -1, null, null, null])
  })
  it('share one x, with gaps where one has no value', () => {
    expect(joined([{ x: [1, 3], y: [10, 30] }, { x: [2, 3], y: [5, 6] }])).toEqual([[1, 2, 3], [10, null, 30], [null, 5, 6]])
  })
  it('of eight runs with 10,000 points are joined within half a second of processor time', () => {
    const x = Array.from({ length: 10_000 }, (_, i) => i)
    const lines = Array.from({ length: 8 }, (_, run) => ({ x: x.map((step) => step * 8 + run), y: x }))
    const began = process.cpuUsage()
    expect(joined(lines)[0].length).toBe(80_000)
    const { user, system } = process.cpuUsage(began)
    expect((user + system) / 1000).toBeLessThan(500)
  })
})

describe('a smoothed loss', () => {
  it('begins at the first loss, follows a constant one, and lags behind a jump', () => {
    expect(smoothed([4, 4, 4])).toEqual([4, 4, 4])
    const jumped = smoothed([...Array(50).fill(1), ...Array(20).fill(2)] as number[])
    expect(jumped[50]).toBeLessThan(1.1)
    expect(jumped[69]).toBeGreaterThan(1.5)
  })
  it('is the same however densely it is told', () => {
    const steps = Array.from({ length: 401 }, (_, i) => i)
    const fall = (step: number) => 1 / (1 + step / 100)
    const dense = smoothed(steps.map(fall), steps)
    const told = steps.filter((step) => step % 20 === 0)
    const off = (sparse: number[]) => Math.abs(sparse[sparse.length - 1] - dense[400])
    expect(off(smoothed(told.map(fall), told))).toBeLessThan(0.02)
    expect(off(smoothed(told.map(fall)))).toBeGreaterThan(0.1)
  })
})

describe('a caption', () => {
  it('is read as words, structured or not, broken or not', () => {
    expect(inWords('a tea poster')).toBe('a tea poster')
    expect(inWords('{"high_level_description": "a red cup", "x": 1}')).toBe('a red cup')
    for (const odd of ['{"x": 1}', '{not json', '5', 'null']) expect(inWords(odd)).toBe(odd)
  })
})

describe('a story', () => {
  const progress = (step: number, loss: number) => ({ kind: 'progress', data: { step, total_steps: 10, loss, eta_seconds: null } })
  it('counts the later telling of a step that a resumed run tells again', async () => {
    const story = new Story()
    for (const step of [1, 2, 3]) story.hear(progress(step, 1))
    await new Promise((go) => setTimeout(go, 200))
    for (const step of [2, 3, 4]) story.hear(progress(step, 2))
    await new Promise((go) => setTimeout(go, 200))
    expect(story.numbers).toEqual({ steps: [1, 2, 3, 4], losses: [1, 2, 2, 2] })
  })
  it('does so also where both tellings come at once', async () => {
    const story = new Story()
    for (const [step, loss] of [[1, 1], [2, 1], [3, 1], [2, 2], [3, 2], [4, 2]]) story.hear(progress(step, loss))
    story.hear(progress(5, null as never))
    await new Promise((go) => setTimeout(go, 200))
    expect(story.numbers).toEqual({ steps: [1, 2, 3, 4], losses: [1, 2, 2, 2] })
    expect(story.step).toBe(5)
  })
})
