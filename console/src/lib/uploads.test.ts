import { describe, expect, it } from 'vitest'
import { grouped } from './uploads.svelte'

const file = (name: string, size = 10) => ({ name, file: { size } as File })
const names = (groups: { name: string }[][]) => groups.map((group) => group.map((one) => one.name))

describe('files of a drop', () => {
  it('keeps a caption with its picture, whatever stands between them', () => {
    expect(names(grouped([file('a/1.png', 8e6), file('a/2.png', 8e6), file('a/1.txt')]))).toEqual([['a/1.png', 'a/1.txt'], ['a/2.png']])
  })
  it('keeps equal names of different folders apart', () => {
    expect(names(grouped([file('a/1.png', 8e6), file('b/1.txt', 8e6)]))).toEqual([['a/1.png'], ['b/1.txt']])
  })
  it('sends small files together, a dozen at most', () => {
    const groups = grouped(Array.from({ length: 30 }, (_, i) => file(`${i}.png`)))
    expect(groups.map((group) => group.length)).toEqual([12, 12, 6])
  })
})
