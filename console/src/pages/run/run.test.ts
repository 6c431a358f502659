import { describe, expect, it, vi } from 'vitest'
import ModelPill from '../../components/ModelPill.svelte'
import type { Schemas } from '../../lib/api'
import { STOPPED } from '../../lib/models'
import { button, serving, show, text, until } from '../../testing'
import Run from './Run.svelte'

vi.mock('../../components/Chart.svelte', () => ({ default: () => {} }))

type Told = [kind: string, data: unknown]
const model = (more: object): Schemas['CustomModel'] =>
  ({ model_id: 'm', name: 'Tea', status: 'COMPLETED', dataset_id: 'd', custom_model_uri: null, is_owned: true, ...more }) as never

async function shown(one: Schemas['CustomModel'], story: Told[]) {
  const events = story.map(([kind, data], i) => `id: ${i + 1}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`).join('')
  serving({ 'GET /models/m': { model: one }, 'GET /models/m/events': () => new Response(events, { headers: { 'Content-Type': 'text/event-stream' } }) })
  show(Run, { id: 'm' })
  await until(() => text().includes('Tea'))
}

describe('the page of a run', () => {
  it.each([
    [STOPPED, 'Stopped', 'Failed'],
    ['The device is lost.', 'Failed', 'Stopped'],
  ])('that ended before its first step (%s) says so, and how', async (error, word, other) => {
    await shown(model({ status: 'ERRORED', x_linocut: { error } }), [['status', { status: 'ERRORED', error }]])
    await until(() => text().includes('It ended before its first step'))
    expect([...document.querySelectorAll('.pill')].map((one) => one.textContent)).toEqual([word])
    for (const waiting of [other, 'Getting ready', 'not done yet', 'None yet', 'has a score yet']) expect(text()).not.toContain(waiting)
    expect(text()).toContain(error)
    expect(document.querySelector('[role=alert]') === null).toBe(error === STOPPED)
  })
  it.each([['COMPLETED', ['Make it a version: step 100']], ['ARCHIVED', []]])('that is %s offers no checkpoint that it uses already', async (status, offered) => {
    const run = { x_linocut: { checkpoints: [100, 200] } }
    await shown(model({ status, training_runs: [run], x_linocut: { scores: { 100: 3, 200: 2, chosen_step: 200 } } }), [['score', { step: 100, score: 3 }], ['score', { step: 200, score: 2 }], ['status', { status }]])
    await until(() => text().includes('best score'))
    await until(() => text().includes('in use') === (status === 'COMPLETED'))
    const buttons = [...document.querySelectorAll('td button')].map((one) => one.getAttribute('aria-label'))
    expect(buttons).toEqual(offered)
    expect(button('Stop')).toBe(undefined)
  })
})

describe('the pill of a model', () => {
  it.each([[STOPPED, 'Stopped'], ['The device is lost.', 'Failed']])('after “%s” is %s', (error, word) => {
    show(ModelPill, { model: model({ status: 'ERRORED', x_linocut: { error } }) })
    expect(text().trim()).toBe(word)
  })
})
