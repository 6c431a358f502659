// The captions of a dataset while they are edited: saved by themselves, undone one step at a time.
import { SvelteSet } from 'svelte/reactivity'
import { api, type Schemas, told, why } from '../../lib/api'
import { complain } from '../../lib/said.svelte'

export type Asset = Schemas['DatasetAsset']
export type Caption = Asset['caption']
type Step = { asset: string; before: Caption }[]

/** The strings of a structured caption that describe something; its other strings are kinds and colours. */
const DESCRIBING = new Set(['high_level_description', 'background', 'desc', 'text'])

/** A caption with `change` done to its words: to the whole of a plain one, to what describes in a structured one. */
export function reworded(caption: Caption, change: (text: string) => string): Caption {
  if (caption === null) return null
  if (typeof caption === 'string') return change(caption)
  const walk = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') return DESCRIBING.has(name) ? change(value) : value
    if (Array.isArray(value)) return value.map((one) => walk(one, name))
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, walk(one, key)]))
    return value
  }
  return walk(caption, '') as Caption
}

/** A caption in one line, for a list. */
export function words(caption: Caption): string {
  if (caption === null) return ''
  if (typeof caption === 'string') return caption
  const said = (caption as { high_level_description?: unknown }).high_level_description
  return typeof said === 'string' ? said : JSON.stringify(caption)
}

export const isStructured = (caption: Caption): caption is Exclude<Caption, string | null> => caption !== null && typeof caption === 'object'

const same = (a: Caption, b: Caption): boolean => JSON.stringify(a) === JSON.stringify(b)

export class Captions {
  /** By asset, what stands in the page. */
  now = $state<Record<string, Caption>>({})
  saving = $state(0)
  steps = $state<Step[]>([])
  /** Whose caption the server has refused: it stands in the page only. */
  refused = new SvelteSet<string>()
  /** The pictures of the dataset; `now` keeps those that are gone. */
  private there: string[] = []
  /** What the server has. */
  private stored: Record<string, Caption> = {}
  private queue: Promise<unknown> = Promise.resolve()

  constructor(private dataset: string) {}

  /** Whether leaving the page now loses a caption. */
  get isUnsaved(): boolean {
    return this.saving > 0 || this.refused.size > 0
  }

  /** What the server has now; what is being edited stays. */
  take(assets: Asset[]): void {
    this.there = assets.map((one) => one.asset_id)
    for (const asset of this.refused) if (!this.there.includes(asset)) this.refused.delete(asset)
    for (const asset of assets) {
      const edited = asset.asset_id in this.now && !same(this.now[asset.asset_id], this.stored[asset.asset_id])
      this.stored[asset.asset_id] = asset.caption
      if (!edited) this.now[asset.asset_id] = asset.caption
    }
  }

  /** Saves new captions, as one step that can be undone. An empty one is none. */
  set(changes: Record<string, Caption>): void {
    const step: Step = []
    for (const [asset, given] of Object.entries(changes)) {
      const caption = given === '' ? null : given
      this.now[asset] = caption
      if (!same(caption, this.stored[asset]) || this.refused.has(asset)) {
        step.push({ asset, before: this.stored[asset] })
        this.save(asset, caption)
      }
    }
    if (step.length) this.steps.push(step)
  }

  undo(): void {
    const step = this.steps.pop()
    for (const { asset, before } of step ?? []) {
      this.now[asset] = before
      this.save(asset, before)
    }
  }

  /** How many captions have those words, and with `by` their replacement in each. */
  replace(find: string, by: string | null): number {
    if (!find) return 0
    const changes: Record<string, Caption> = {}
    for (const asset of this.there) {
      const caption = this.now[asset]
      const changed = reworded(caption, (text) => text.split(find).join(by ?? ''))
      if (!same(changed, caption)) changes[asset] = changed
    }
    if (by !== null) this.set(changes)
    return Object.keys(changes).length
  }

  /** Puts words before every caption that does not begin with them. */
  prefix(text: string): void {
    const changes: Record<string, Caption> = {}
    for (const asset of this.there) {
      const caption = this.now[asset]
      if (isStructured(caption)) {
        const said = words(caption)
        if (!said.startsWith(text)) changes[asset] = { ...caption, high_level_description: text + said } as unknown as Caption
      } else if (!(caption ?? '').startsWith(text)) changes[asset] = text + (caption ?? '')
    }
    this.set(changes)
  }

  private save(asset: string, caption: Caption): void {
    const before = this.stored[asset]
    this.stored[asset] = caption
    this.saving += 1
    this.queue = this.queue
      .then(() => told(api.PUT('/datasets/{dataset_id}/assets/{asset_id}/caption', {
        params: { path: { dataset_id: this.dataset, asset_id: asset } }, body: { caption: caption as never },
      })))
      .then(() => this.refused.delete(asset))
      .catch((fault: unknown) => {
        // What was typed stays in the page; it counts as not saved.
        if (same(this.stored[asset], caption)) {
          this.stored[asset] = before
          if (this.there.includes(asset)) this.refused.add(asset)
        }
        complain(why(fault))
      })
      .finally(() => (this.saving -= 1))
  }
}
