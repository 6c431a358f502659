import { beforeEach, describe, expect, it } from 'vitest'
import { typedNumber, typedWhole } from '../../lib/numbers'
import { rememberJson } from '../../lib/memory'
import { button, field, serving, show, type, until } from '../../testing'
import Train from './Train.svelte'

const PLAN = { pictures: 20, training_steps: 1000, batch_size: 4, passes: 200, minutes: null, memory_mib: null, adapter_mib: null, cost: null, waiting: 0, lora_rank: 64, learning_rate: 0.0001, held_out: [] }
let asked: ReturnType<typeof serving>

beforeEach(() => {
  rememberJson('train', { dataset: 'd', name: 'Tea posters', advanced: true })
  asked = serving({
    'GET /datasets': { datasets: [{ dataset_id: 'd', name: 'tea' }] }, 'GET /models': { models: [] },
    'POST /v1/ideogram-v3/train-model-advanced/plan': PLAN,
  })
})

describe('a number', () => {
  it.each([['', undefined], [' ', undefined], ['0.0001', 0.0001], ['0,0001', 0.0001], ['1e-4', 1e-4], ['abc', NaN], ['8 pictures', NaN], ['Infinity', NaN]])('typed as %j is %j', (text, number) => {
    expect(typedNumber(text)).toBe(number)
  })
  it.each([['', undefined], ['12', 12], ['12 34', NaN], ['1,000', NaN], ['8.5', NaN]])('that is whole, typed as %j, is %j', (text, number) => {
    expect(typedWhole(text)).toBe(number)
  })
})

describe('the form of a training', () => {
  it('says what is no number, asks for no plan of it, and does not start', async () => {
    show(Train, {})
    for (const [name, typed] of [['EMA', 'abc'], ['Seed', '12 34'], ['Pictures of a step', '8 pictures'], ['Learning rate', 'fast']]) {
      const there = await until(() => field(name))
      type(there, typed)
      expect(there.getAttribute('aria-invalid'), name).toBe('true')
    }
    await new Promise((go) => setTimeout(go, 600)) // a plan is asked for after half a second
    expect(asked.filter((one) => one.method === 'POST')).toEqual([])
    expect(button('Start the training').disabled).toBe(true)
  })
  it('sends the numbers that were typed, with a decimal comma too', async () => {
    show(Train, {})
    for (const [name, typed] of [['Learning rate', '0,0001'], ['EMA', '0.99'], ['Seed', '1234'], ['Pictures of a step', '8']]) type(await until(() => field(name)), typed)
    await until(() => !button('Start the training').disabled)
    expect(JSON.parse(asked[asked.length - 1].body)).toMatchObject({ learning_rate: 0.0001, ema: 0.99, seed: 1234, x_linocut: { batch_size: 8 } })
  })
})
