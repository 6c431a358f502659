import { describe, expect, it } from 'vitest'
import { Mask } from './mask'

const count = (mask: Mask) => mask.data.reduce((sum, one) => sum + one, 0)

describe('a mask', () => {
  it('is painted by a round brush along a line, and erased by it', () => {
    const mask = new Mask(40, 20)
    mask.stroke(10, 10, 30, 10, 4, 1)
    expect(mask.data[10 * 40 + 20]).toBe(1)
    expect(mask.data[5 * 40 + 20]).toBe(0)
    expect(count(mask)).toBeGreaterThan(20 * 8 * 0.9)
    expect(count(mask)).toBeLessThan(20 * 8 + Math.PI * 16 + 20)
    mask.stroke(10, 10, 30, 10, 5, 0)
    expect(mask.isEmpty).toBe(true)
  })
  it('stays inside its picture', () => {
    const mask = new Mask(8, 8)
    mask.stroke(-50, -50, 60, 60, 3, 1)
    mask.fill(-1, 3, 1)
    mask.fill(8, 3, 1)
    expect(count(mask)).toBeGreaterThan(8)
    expect(count(mask)).toBeLessThan(64)
  })
  it('fills what a closed line encloses and nothing else', () => {
    const mask = new Mask(30, 30)
    for (const [x, y, u, v] of [[5, 5, 25, 5], [25, 5, 25, 25], [25, 25, 5, 25], [5, 25, 5, 5]]) mask.stroke(x, y, u, v, 1, 1)
    mask.fill(15, 15, 1)
    expect(mask.data[15 * 30 + 15]).toBe(1)
    expect(mask.data[0]).toBe(0)
    expect(mask.data[29 * 30 + 29]).toBe(0)
  })
  it('does not fill across the edge of a row', () => {
    const mask = new Mask(4, 3)
    mask.data.set([0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1])
    mask.fill(0, 0, 1)
    expect([...mask.data]).toEqual([1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1])
  })
  it('is inverted and taken back step by step', () => {
    const mask = new Mask(10, 10)
    mask.begin()
    mask.stroke(5, 5, 5, 5, 2, 1)
    const painted = count(mask)
    mask.begin()
    mask.invert()
    expect(count(mask)).toBe(100 - painted)
    expect(mask.undo()).toBe(true)
    expect(count(mask)).toBe(painted)
    expect(mask.undo()).toBe(true)
    expect(mask.isEmpty).toBe(true)
    expect(mask.undo()).toBe(false)
  })
  it('is black where it is repainted, white where it is kept, and of its size', () => {
    const mask = new Mask(3, 2)
    mask.data[4] = 1
    const pixels = mask.pixels()
    expect(pixels.length).toBe(24)
    expect([...pixels.slice(16, 20)]).toEqual([0, 0, 0, 255])
    expect([...pixels.slice(0, 4)]).toEqual([255, 255, 255, 255])
  })
})
