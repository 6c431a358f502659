// Whether the server answers. It is asked every second and a half: a server that goes away shows within three seconds.
import { at } from './place'

const EVERY = 1500
const PATIENCE = 1200
const WHILE_AWAY = 600
const WHILE_HIDDEN = 10_000

class Connection {
  /** False while the server does not answer. */
  up = $state(true)
  /** Whether an engine is ready to draw; null until it is known. */
  ready = $state<boolean | null>(null)
  /** How often the server has come back: who shows something may look again when it changes. */
  returns = $state(0)
  private waiting: (() => void)[] = []
  private timer: ReturnType<typeof setTimeout> | undefined

  start(): void {
    document.addEventListener('visibilitychange', () => void this.look())
    window.addEventListener('online', () => void this.look())
    window.addEventListener('offline', () => this.lost())
    void this.look()
  }

  /** Said by whoever has just failed to reach the server. */
  lost(): void {
    this.up = false
    this.plan(WHILE_AWAY)
  }

  /** Resolves at once while the server answers, else when it does so again. */
  back(): Promise<void> {
    return this.up ? Promise.resolve() : new Promise((go) => this.waiting.push(go))
  }

  private async look(): Promise<void> {
    clearTimeout(this.timer)
    try {
      const answer = await fetch(at('readyz'), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE) })
      // A proxy in front of a server that is away answers for it.
      if (answer.status === 502 || answer.status === 504) throw new Error('away')
      this.ready = answer.ok
      this.found()
    } catch {
      this.up = false
    }
    this.plan(this.up ? (document.hidden ? WHILE_HIDDEN : EVERY) : WHILE_AWAY)
  }

  private found(): void {
    if (this.up) return
    this.up = true
    this.returns += 1
    for (const go of this.waiting.splice(0)) go()
  }

  private plan(milliseconds: number): void {
    clearTimeout(this.timer)
    this.timer = setTimeout(() => void this.look(), milliseconds)
  }
}

export const connection = new Connection()
