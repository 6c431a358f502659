// Something that a page shows: still loading, failed with a sentence, or there. Looked at again when the server is back.
import { why } from './api'
import { connection } from './connection.svelte'
import { session } from './session.svelte'

export class Loaded<T> {
  value = $state<T | null>(null)
  failure = $state<string | null>(null)
  loading = $state(true)
  private turn = 0

  constructor(private read: () => Promise<T>) {}

  /** Reads again; what was there stays until the new is. Of two readings at once the later one counts. */
  async again(): Promise<void> {
    const turn = ++this.turn
    this.loading = true
    try {
      const value = await this.read()
      if (turn !== this.turn) return
      this.value = value
      this.failure = null
    } catch (fault) {
      if (turn === this.turn) this.failure = why(fault)
    } finally {
      if (turn === this.turn) this.loading = false
    }
  }
}

/** Reads now, and again whenever what `read` looks at first changes, the organisation does, or the server comes back. */
export function loaded<T>(read: () => Promise<T>): Loaded<T> {
  const one = new Loaded(read)
  $effect(() => {
    void connection.returns
    void session.organization
    void session.person
    void one.again()
  })
  return one
}
