import { beforeEach, describe, expect, it } from 'vitest'
import { keep, router } from '../../lib/router.svelte'
import { click, button, field, type Sent, serving, show, text, type, until } from '../../testing'
import Gallery from './Gallery.svelte'

const image = (id: string) => ({ image_id: id, prompt: `kettle ${id}`, url: `http://h/api/images/${id}.png`, created: '2026-01-02T03:04:05Z', path: '/v1/ideogram-v3/generate', parameters: {}, inputs: [] })
let asked: Sent[]
const lists = () => asked.filter((one) => one.path === '/images').map((one) => Object.fromEntries(new URLSearchParams(one.query)))

beforeEach(() => {
  let images = ['a', 'b', 'c'].map(image)
  asked = serving({
    'GET /openapi.json': { paths: {}, components: { schemas: {} } }, 'GET /models': { models: [{ model_id: 'm', name: 'Tea', custom_model_uri: 'model/tea/version/1' }] },
    'GET /images': () => ({ images, total: images.length, next_cursor: null }), 'DELETE /images/b': () => { images = ['a', 'c'].map(image); return {} },
  })
  location.hash = '#/gallery'
  router.place = { path: '/gallery', query: new URLSearchParams() }
})

describe('the filters of the gallery', () => {
  it('are those of the address, so that Back and a reload keep them', async () => {
    keep({ search: 'tea', operation: 'remix', custom_model_uri: 'model/tea/version/1', to_day: '2026-01-02' })
    show(Gallery, {})
    await until(() => lists().length)
    expect(lists()[0]).toMatchObject({ search: 'tea', operation: 'remix', custom_model_uri: 'model/tea/version/1', to_day: '2026-01-02' })
    await until(() => field('Model').value)
    expect(['Words of the prompt', 'Operation', 'Model', 'From day', 'To day'].map((name) => field(name).value)).toEqual(['tea', 'remix', 'model/tea/version/1', '', '2026-01-02'])
  })
  it('that are chosen while a word is typed are asked for together with it', async () => {
    show(Gallery, {})
    await until(() => lists().length === 1)
    type(field('Words of the prompt'), 'green')
    field('Operation').value = 'remix'
    field('Operation').dispatchEvent(new Event('change', { bubbles: true }))
    await until(() => lists().length === 2)
    expect(lists()[1]).toMatchObject({ search: 'green', operation: 'remix' })
    expect(location.hash).toBe('#/gallery?search=green&operation=remix')
    await new Promise((go) => setTimeout(go, 300))
    expect(lists().length).toBe(2)
    expect(field('Words of the prompt').value).toBe('green')
  })
})

describe('a picture of the gallery', () => {
  it('that is deleted gives the keyboard to the one in its place', async () => {
    show(Gallery, {})
    click(await until(() => button('Open: kettle b')))
    click(await until(() => button('Delete')))
    await until(() => text().includes('Delete this picture?'))
    click([...document.querySelectorAll('button')].filter((one) => one.textContent === 'Delete').pop()!)
    await until(() => !button('Open: kettle b'))
    await until(() => document.activeElement === button('Open: kettle c'))
  })
})
