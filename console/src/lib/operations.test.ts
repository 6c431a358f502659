import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { callsOf, quoted } from './calls'
import { bodyOf, missing, operationsOf, said, seedPlace, withSeed } from './operations'
import { withText } from './png'

const all = operationsOf(JSON.parse(readFileSync('openapi.json', 'utf8')))
const one = (path: string) => all.find((operation) => operation.path === path)!
const file = new File(['x'], 'x.png', { type: 'image/png' })

describe('the operations of the description', () => {
  it('are all that draw or describe, without those for webhooks', () => {
    expect(all.length).toBeGreaterThanOrEqual(18)
    expect(all.some((operation) => operation.path.includes('async'))).toBe(false)
    expect(new Set(all.map((operation) => operation.id)).size).toBe(all.length)
  })
  it('have every field that is built, by its kind', () => {
    const kinds = Object.fromEntries(one('/v1/ideogram-v3/inpaint').fields.map((field) => [field.name, field.kind]))
    expect(kinds).toMatchObject({
      image: 'file', mask: 'file', prompt: 'text', num_images: 'integer', seed: 'integer', rendering_speed: 'choice',
      color_palette: 'json', style_codes: 'lines', style_reference_images: 'files', custom_model_uri: 'line',
    })
    const group = one('/upscale').fields.find((field) => field.kind === 'group')!
    expect(group.fields!.map((field) => field.name)).toContain('resemblance')
    expect(one('/v1/ideogram-v4/generate').fields.find((field) => field.name === 'json_prompt')!.kind).toBe('json')
  })
  it('name what is missing and send nothing that says nothing', () => {
    const inpaint = one('/v1/ideogram-v3/inpaint')
    expect(missing(inpaint.fields, { image: file })).toEqual(['mask', 'prompt'])
    const { texts, files } = said(inpaint.fields, { image: file, mask: file, prompt: 'a', seed: undefined, num_images: 1, style_codes: [] })
    expect(texts).toEqual({ prompt: 'a' })
    expect(files.map((part) => part.name)).toEqual(['image.png', 'mask.png'])
  })
  it('send what must be sent as it usually is, where nothing else was said', () => {
    const edit = one('/edit')
    expect(missing(edit.fields, { image_file: file, mask: file, prompt: 'a' })).toEqual([])
    expect(said(edit.fields, { prompt: 'a' }).texts).toEqual({ prompt: 'a', model: 'V_2' })
    expect(said(edit.fields, { prompt: 'a', model: 'V_2_TURBO' }).texts.model).toBe('V_2_TURBO')
  })
  it('are JSON where they may be and have no files', () => {
    expect(bodyOf(one('/v1/ideogram-v3/generate'), { prompt: 'a' }).body).toBe('{"prompt":"a"}')
    expect(bodyOf(one('/v1/ideogram-v3/generate'), { prompt: 'a', style_reference_images: [file] }).body).toBeInstanceOf(FormData)
    const form = bodyOf(one('/upscale'), { image_file: file, image_request: { prompt: 'a' } }).body as FormData
    expect(form.get('image_request')).toBe('{"prompt":"a"}')
  })
  it('have their seed in its place', () => {
    expect(seedPlace(one('/upscale').fields)).toEqual(['image_request', 'seed'])
    expect(seedPlace(one('/v1/remove-background').fields)).toBe(null)
    expect(withSeed({ image_request: { prompt: 'a' } }, ['image_request', 'seed'], 7)).toEqual({ image_request: { prompt: 'a', seed: 7 } })
  })
})

describe('a call', () => {
  it('survives a shell, whatever the prompt holds', () => {
    expect(quoted(`it's "$HOME" \`id\``)).toBe(`'it'\\''s "$HOME" \`id\`'`)
    const { curl } = callsOf(one('/v1/ideogram-v3/generate'), { prompt: `it's` }, 'http://h')
    expect(curl).toContain(`--data-raw '{"prompt":"it'\\''s"}'`)
  })
  it('of a form sends texts as they are and files beside it', () => {
    const calls = callsOf(one('/v1/ideogram-v3/remix'), { image: file, prompt: '@home <b>' }, 'http://h')
    expect(calls.curl).toContain(`-F 'image=@image.png'`)
    expect(calls.curl).toContain(`--form-string 'prompt=@home <b>'`)
    expect(calls.files.map((part) => part.name)).toEqual(['image.png'])
    expect(calls.python).toContain('Path("image.png")')
    expect(calls.javascript).toContain('openAsBlob("image.png")')
  })
})

describe('a PNG', () => {
  it('gets one text under a word, also the second time', () => {
    const png = new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10, 0, 0, 0, 0, 73, 69, 78, 68, 174, 66, 96, 130])
    const once = withText(png, 'linocut', '{"prompt":"a"}')
    expect(once.length).toBe(png.length + 12 + 'linocut'.length + 5 + 14)
    expect(withText(once, 'linocut', '{"prompt":"b"}').length).toBe(once.length)
    expect(new TextDecoder().decode(withText(once, 'linocut', 'ä'))).toContain('ä')
    expect(() => withText(new Uint8Array(20), 'a', 'b')).toThrow()
  })
})
