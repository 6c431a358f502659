import { beforeEach, describe, expect, it } from 'vitest'
import { dropSaid, said } from '../../lib/said.svelte'
import { asksToLeave, button, click, field, refused, type Sent, serving, show, text, type, until } from '../../testing'
import { type Asset, type Caption, Captions } from './captions.svelte'
import Dataset from './Dataset.svelte'
import Structured from './Structured.svelte'

const asset = (n: number): Asset => ({ asset_id: `a${n}`, file_name: `${n}.png`, width: 100, height: 100, caption: null }) as unknown as Asset
const REPORT = { dataset_id: 'd', summary: { is_ready: true, image_count: 2, min_training_images: 2, finding_count: 0, message: '' }, findings: [], files: [] }
const caption = (n: number) => field(`Caption of ${n}.png`)
const write = (n: number, words: string) => {
  type(caption(n), words)
  caption(n).dispatchEvent(new Event('blur'))
}
const status = () => document.querySelector('[role=status]')!.textContent

describe('captions in the page of a dataset', () => {
  let assets: Asset[]
  let asked: Sent[]
  let put: (sent: Sent) => unknown
  const reports = () => asked.filter((one) => one.path.endsWith('/report')).length

  beforeEach(async () => {
    said().forEach((one) => dropSaid(one.id))
    assets = [asset(1), asset(2)]
    put = () => ({})
    const saving = (sent: Sent) => put(sent)
    asked = serving({
      'GET /datasets/d': { dataset: { dataset_id: 'd', name: 'tea' } }, 'GET /datasets/d/assets': () => ({ assets }), 'GET /datasets/d/report': REPORT,
      'PUT /datasets/d/assets/a1/caption': saving, 'PUT /datasets/d/assets/a2/caption': saving,
      'DELETE /datasets/d/assets/a1': () => { assets = [asset(2)]; return {} },
    })
    show(Dataset, { id: 'd' })
    await until(() => caption(1))
    await until(() => reports() === 1)
  })

  it('are not left while they are typed or saved without a question; then the report is read again', async () => {
    expect(asksToLeave()).toBe(false)
    let saved: (answer: unknown) => void = () => {}
    put = () => new Promise((go) => (saved = go))
    type(caption(1), 'a red cup')
    expect(status()).toBe('Saving …')
    expect(asksToLeave()).toBe(true)
    await until(() => asked.some((one) => one.method === 'PUT'))
    expect(reports()).toBe(1)
    saved({})
    await until(() => status() === 'All saved')
    expect(asksToLeave()).toBe(false)
    await until(() => reports() === 2)
  })
  it('that the server refuses are said not to be saved until it takes them', async () => {
    put = ({ body }) => (body.includes('long') ? refused('caption takes 1 to 10,000 characters.') : {})
    write(1, 'much too long')
    write(2, 'a leaf')
    await until(() => status() === '1 not saved')
    expect([caption(1), caption(2)].map((one) => one.getAttribute('aria-invalid'))).toEqual(['true', null])
    expect(said()[0].text).toContain('10,000 characters')
    expect(asksToLeave()).toBe(true)
    write(1, '') // as it was before: the server is asked all the same
    await until(() => status() === 'All saved')
    expect(caption(1).getAttribute('aria-invalid')).toBe(null)
    expect(asksToLeave()).toBe(false)
  })
  it('go with their picture, after a question', async () => {
    put = () => refused('no')
    write(1, 'a cup')
    await until(() => status() === '1 not saved')
    button('1.png: more').dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }))
    click(await until(() => [...document.querySelectorAll<HTMLElement>('[role=menuitem]')].find((one) => one.textContent!.includes('Delete'))))
    await until(() => text().includes('“1.png” and its caption are deleted.'))
    expect(asked.filter((one) => one.method === 'DELETE')).toEqual([])
    click(button('Delete'))
    await until(() => !caption(1))
    expect(status()).toBe('All saved')
    await until(() => document.activeElement === caption(2))
  })
})

describe('captions', () => {
  it('of a picture that is gone get no words put before', async () => {
    const asked = serving({ 'PUT /datasets/d/assets/a2/caption': {} })
    const captions = new Captions('d')
    captions.take([asset(1), asset(2)])
    captions.take([asset(2)])
    captions.prefix('tea, ')
    await until(() => captions.saving === 0)
    expect(asked.map((one) => one.path)).toEqual(['/datasets/d/assets/a2/caption'])
  })
})

describe('the editor of a structured caption', () => {
  it('is left by Escape only while nothing was changed, else by its buttons', async () => {
    serving({})
    let isOpen = true
    const saved: Caption[] = []
    show(Structured, { dataset: 'd', asset: asset(1), caption: 'a cup', save: (one: Caption) => saved.push(one), close: () => (isOpen = false) })
    const dialog = await until(() => document.querySelector('[role=dialog]'))
    const escape = async () => {
      dialog.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }))
      await new Promise((go) => setTimeout(go, 20))
    }
    type(field('Background'), 'a table')
    await escape()
    expect(isOpen).toBe(true)
    type(field('Background'), '')
    await escape()
    expect(isOpen).toBe(false)
    expect(saved).toEqual([])
  })
  it('throws its changes away by Cancel', async () => {
    serving({})
    let isOpen = true
    const saved: Caption[] = []
    show(Structured, { dataset: 'd', asset: asset(1), caption: 'a cup', save: (one: Caption) => saved.push(one), close: () => (isOpen = false) })
    type(await until(() => field('Background')), 'a table')
    click(button('Cancel'))
    await until(() => !isOpen)
    expect(saved).toEqual([])
  })
})
