import { describe, expect, it } from 'vitest'
import { between, isTiny, moved, resized } from './boxes'
import { type Caption, reworded, words } from './captions.svelte'

describe('boxes', () => {
  it('move as they are and stay inside', () => {
    expect(moved([100, 100, 300, 300], 50, -50)).toEqual([150, 50, 350, 250])
    expect(moved([100, 100, 300, 300], 5000, -5000)).toEqual([800, 0, 1000, 200])
  })
  it('never get smaller than a hundredth', () => {
    expect(resized([100, 100, 300, 300], -500, -500)).toEqual([100, 100, 110, 110])
    expect(resized([100, 100, 300, 300], 5000, 20)).toEqual([100, 100, 1000, 320])
  })
  it('are none where a plain click has drawn', () => {
    expect([between(500, 500, 500, 500), [500, 500, 501, 501], [100, 100, 110, 300]].map((one) => isTiny(one))).toEqual([true, true, false])
  })
  it('are drawn from any corner', () => {
    expect(between(300, 400, 100, 200)).toEqual([100, 200, 300, 400])
    expect(between(1200, 1200, 999, 999)).toEqual([990, 990, 1000, 1000])
  })
})

describe('words of captions', () => {
  const structured = { high_level_description: 'a red cup', compositional_deconstruction: { elements: [{ type: 'text', text: 'red', desc: 'red letters', bbox: [1, 2, 3, 4] }] } } as unknown as Caption
  const green = (text: string) => text.replaceAll('red', 'green')
  it('change in what describes, and in nothing else', () => {
    expect(reworded(structured, green)).toEqual({ high_level_description: 'a green cup', compositional_deconstruction: { elements: [{ type: 'text', text: 'green', desc: 'green letters', bbox: [1, 2, 3, 4] }] } })
    expect(reworded({ style: 'red' } as unknown as Caption, green)).toEqual({ style: 'red' })
    expect(reworded(null, green)).toBe(null)
  })
  it('are those of the whole picture, in a list', () => expect(words(structured)).toBe('a red cup'))
})
