import { flushSync, mount, unmount } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Mask } from '../lib/mask'
import Painter from './Painter.svelte'

const WIDTH = 100
const HEIGHT = 50
let painter: ReturnType<typeof mount>
let mask: Mask | null = null
let canvas: HTMLCanvasElement

beforeEach(() => {
  // jsdom draws nothing; what is painted is in the mask.
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(null)
  painter = mount(Painter, { target: document.body, props: { source: 'blob:x', width: WIDTH, height: HEIGHT, onchange: (one: Mask) => (mask = one) } })
  flushSync()
  canvas = document.querySelector('canvas')!
  // Twice as large on the screen as the picture is.
  canvas.getBoundingClientRect = () => ({ left: 10, top: 20, width: 200, height: 100, right: 210, bottom: 120, x: 10, y: 20, toJSON: () => '' })
})
afterEach(async () => {
  await unmount(painter)
  mask = null
  vi.restoreAllMocks()
})

function pointer(type: string, x: number, y: number, more: Record<string, unknown> = {}) {
  const event = new MouseEvent(type, { clientX: 10 + 2 * x, clientY: 20 + 2 * y, bubbles: true, cancelable: true })
  for (const [name, value] of Object.entries({ pointerId: 1, pointerType: 'mouse', pressure: 0.5, ...more })) Object.defineProperty(event, name, { value })
  canvas.dispatchEvent(event)
  flushSync()
}
function press(key: string, more: KeyboardEventInit = {}) {
  canvas.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...more }))
  flushSync()
}
const button = (name: string) => document.querySelector<HTMLButtonElement>(`button[aria-label^="${name}"]`)!
const click = (name: string) => {
  button(name).click()
  flushSync()
}
const painted = () => mask!.data.reduce((sum, one) => sum + one, 0)
const at = (x: number, y: number) => mask!.data[y * WIDTH + x]

describe('the painter', () => {
  it('paints where the pointer is, in the pixels of the picture', () => {
    pointer('pointerdown', 20, 25)
    pointer('pointermove', 60, 25)
    pointer('pointerup', 60, 25)
    expect([at(20, 25), at(40, 25), at(60, 25), at(80, 25), at(40, 40)]).toEqual([1, 1, 1, 0, 0])
  })
  it('erases, fills, inverts, clears and takes back', () => {
    pointer('pointerdown', 50, 25)
    pointer('pointerup', 50, 25)
    const one = painted()
    click('Invert')
    expect(painted()).toBe(WIDTH * HEIGHT - one)
    click('Undo')
    expect(painted()).toBe(one)
    click('Eraser')
    pointer('pointerdown', 50, 25)
    pointer('pointerup', 50, 25)
    expect(painted()).toBe(0)
    click('Fill')
    pointer('pointerdown', 3, 3)
    pointer('pointerup', 3, 3)
    expect(painted()).toBe(WIDTH * HEIGHT)
    click('Clear')
    expect(painted()).toBe(0)
    for (const left of [WIDTH * HEIGHT, 0, one, 0]) {
      click('Undo')
      expect(painted()).toBe(left)
    }
    expect(button('Undo').disabled).toBe(true)
  })
  it('paints wider the harder a pen is pressed', () => {
    const wide = (pressure: number) => {
      pointer('pointerdown', 50, 25, { pointerType: 'pen', pressure })
      pointer('pointerup', 50, 25)
      const count = painted()
      click('Clear')
      return count
    }
    press(']')
    for (let i = 0; i < 20; i++) press(']')
    expect(wide(1)).toBeGreaterThan(2 * wide(0.2))
  })
  it('zooms with two fingers and leaves nothing of the first', () => {
    pointer('pointerdown', 20, 25, { pointerType: 'touch' })
    expect(painted()).toBeGreaterThan(0)
    pointer('pointerdown', 40, 25, { pointerType: 'touch', pointerId: 2 })
    expect(painted()).toBe(0)
    pointer('pointermove', 60, 25, { pointerType: 'touch', pointerId: 2 })
    expect(document.querySelector<HTMLElement>('.sheet')!.style.width).toBe('200%')
    pointer('pointerup', 60, 25, { pointerType: 'touch', pointerId: 2 })
    pointer('pointerup', 20, 25, { pointerType: 'touch' })
    expect(painted()).toBe(0)
  })
  it('is worked by the keyboard alone', () => {
    press(' ')
    expect(at(50, 25)).toBe(1)
    for (let i = 0; i < 3; i++) press('ArrowLeft', { shiftKey: true })
    press(' ')
    expect([at(20, 25), at(35, 25)]).toEqual([1, 0])
    press('e')
    press('Enter')
    expect(at(20, 25)).toBe(0)
    press('z', { ctrlKey: true })
    expect(at(20, 25)).toBe(1)
    press('i')
    expect([at(20, 25), at(0, 0)]).toEqual([0, 1])
    press('+')
    expect(document.querySelector<HTMLElement>('.sheet')!.style.width).toBe('125%')
    press('-')
    press('f')
    expect(button('Fill').getAttribute('aria-pressed')).toBe('true')
  })
})
