import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { dropSaid, said } from '../../lib/said.svelte'
import { button, click, field, serving, show, text, type, until } from '../../testing'
import Call from './Call.svelte'
import Fields from './Fields.svelte'
import Files from './Files.svelte'
import Playground from './Playground.svelte'

const toasts = () => said().map((one) => one.text)
beforeEach(() => said().map((one) => dropSaid(one.id)))

describe('the playground', () => {
  let answer: (told: unknown) => void
  beforeEach(async () => {
    serving({
      'GET /openapi.json': JSON.parse(readFileSync('openapi.json', 'utf8')), 'GET /models': { models: [] },
      'POST /v1/ideogram-v3/generate': () => new Promise((go) => (answer = go)),
    })
    show(Playground, { operation: 'v1-ideogram-v3-generate' })
    type(await until(() => field('Prompt *')), 'a red fox')
    click(button('Draw'))
    await until(() => answer)
  })
  it('keeps what is typed while it draws, and shows the call of what stands in the form', async () => {
    type(field('Negative prompt'), 'steam')
    answer({ created: '', data: [{ seed: 7 }] })
    await until(() => text().includes('"seed": 7'))
    expect(field('Negative prompt').value).toBe('steam')
    expect(field('Seed').value).toBe('7')
    type(field('Prompt *'), 'a green frog')
    click(button('Show the call'))
    const call = await until(() => document.querySelector('[data-language]')?.textContent)
    expect(call).toContain('"prompt":"a green frog"')
    expect(call).toContain('"seed":7')
  })
})

describe('the call', () => {
  it('is said to be copied only where it was; else it is selected', async () => {
    show(Call, { open: true, calls: { curl: 'curl x', python: '', javascript: '', files: [] } })
    click(await until(() => button('Copy')))
    await until(() => toasts().length)
    expect(toasts()[0]).toContain('press Ctrl+C')
    expect(getSelection()!.toString()).toBe('curl x')
    vi.stubGlobal('navigator', { clipboard: { writeText: async () => {} } })
    click(button('Copy'))
    await until(() => toasts().length === 2)
    expect(toasts()[1]).toBe('Copied')
  })
})

describe('the files of a field', () => {
  const file = (name: string, type = 'image/png') => new File(['x'], name, { type })
  it.each([
    [true, ['a.png', 'b.docx', 'c.png'], ['a.png', 'c.png'], ['Only pictures are taken here. Left out: b.docx.']],
    [false, ['a.png', 'c.png'], ['a.png'], ['This field takes one picture. Left out: c.png.']],
    [false, ['b.docx'], null, ['Only pictures are taken here. Left out: b.docx.']],
    [true, [...'1234567'].map((n) => `${n}.docx`), null, ['Only pictures are taken here. Left out: 1.docx, 2.docx, 3.docx, 4.docx, 5.docx, 2 more.']],
    [true, ['a.png'], ['a.png'], []],
  ])('(several: %s) of %j are %j, and the rest is named', (many, given, taken, sayings) => {
    let chosen: Blob[] | null = null
    show(Files, { files: [], many, id: 'x', name: 'Picture', onchange: (files: Blob[]) => (chosen = files) })
    const drop = new Event('drop', { bubbles: true, cancelable: true })
    Object.defineProperty(drop, 'dataTransfer', { value: { files: given.map((name) => file(name, name.endsWith('png') ? undefined : '')) } })
    document.querySelector('.files')!.dispatchEvent(drop)
    expect(chosen && (chosen as File[]).map((one) => one.name)).toEqual(taken)
    expect(toasts()).toEqual(sayings)
  })
})

describe('a choice', () => {
  it.each([[true, undefined, 'Choose one'], [false, undefined, 'left to the server'], [true, 'A', 'A (unless said)']])('that must be made: %s, usually %s, begins with %j', (required, fallback, first) => {
    show(Fields, { fields: [{ name: 'resolution', kind: 'choice' as const, choices: ['A', 'B'], required, fallback }], values: {}, onchange: () => {}, models: [], locked: false, onlock: () => {}, palettes: [] })
    expect(document.querySelector('option')!.textContent).toBe(first)
  })
})
