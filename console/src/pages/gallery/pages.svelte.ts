// The list of images, read page by page as far as somebody has scrolled. What is drawn meanwhile comes before the first
// page, so nothing moves under the reader.
import { api, told, why } from '../../lib/api'
import type { Drawn } from './images'

export const FILTERS = ['search', 'operation', 'custom_model_uri', 'from_day', 'to_day'] as const
export type Wanted = Partial<Record<(typeof FILTERS)[number], string>>

const PAGE = 200

export class Pages {
  images = $state.raw<Drawn[]>([])
  total = $state<number | null>(null)
  failure = $state<string | null>(null)
  loading = $state(false)
  private cursor: string | null = null
  private ended = false
  private aim = 0

  constructor(private wanted: Wanted) {}

  /** Reads on until so many images are there, or all. */
  async reach(count: number): Promise<void> {
    this.aim = Math.max(this.aim, count)
    if (this.loading) return
    this.loading = true
    try {
      while (!this.ended && (this.images.length < this.aim || this.total === null)) {
        const query = { ...this.wanted, limit: PAGE, ...(this.cursor ? { cursor: this.cursor } : {}) }
        const found = await told(api.GET('/images', { params: { query: query as never } }))
        const first = this.total === null
        this.images = [...this.images, ...found.images]
        if (first) this.total = found.total ?? found.images.length
        this.cursor = found.next_cursor
        this.ended = found.next_cursor === null
        this.failure = null
      }
      if (this.ended) this.total = this.images.length
    } catch (fault) {
      this.failure = why(fault)
    } finally {
      this.loading = false
    }
  }

  drop(imageId: string): void {
    this.images = this.images.filter((one) => one.image_id !== imageId)
    if (this.total !== null) this.total -= 1
  }
}
