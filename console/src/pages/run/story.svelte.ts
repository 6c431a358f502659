// A training as its events tell it.
import { follow, type Told } from '../../lib/events'
import { why } from '../../lib/api'

const FINAL = new Set(['COMPLETED', 'ERRORED', 'ARCHIVED'])
const AT_ONCE = 150

interface Numbers { steps: number[]; losses: number[] }

/**
 * A losing average of the losses so far: the noise of single steps goes, the way they take stays. It loses by steps, not
 * by points: a story does not tell every step.
 */
export function smoothed(losses: readonly number[], steps: readonly number[] = losses.map((_, i) => i), keep = 0.95): number[] {
  let sum = 0
  let weight = 0
  return losses.map((loss, i) => {
    const kept = keep ** Math.max(1, i ? steps[i] - steps[i - 1] : 1)
    sum = kept * sum + (1 - kept) * loss
    weight = kept * weight + (1 - kept)
    return sum / weight
  })
}

/** A caption as one reads it: of a structured one, what it says of the whole picture. */
export function inWords(caption: string): string {
  try {
    const said = (JSON.parse(caption) as { high_level_description?: unknown } | null)?.high_level_description
    return typeof said === 'string' ? said : caption
  } catch {
    return caption
  }
}

export class Story {
  status = $state('')
  runStatus = $state('')
  error = $state<string | null>(null)
  step = $state(0)
  total = $state(0)
  eta = $state<number | null>(null)
  /** Replaced, not changed: a chart of ten thousand points must not be watched point by point. */
  numbers = $state.raw<Numbers>({ steps: [], losses: [] })
  /** By step, by the prompt's number: links to previews. */
  previews = $state<Record<number, Record<number, string>>>({})
  /** By the prompt's number: what it says. */
  prompts = $state<Record<number, string>>({})
  scores = $state<Record<number, number>>({})
  likeness = $state<Record<number, { style: number; copy: number }>>({})
  failure = $state<string | null>(null)
  ended = $state(false)
  private fresh: Numbers = { steps: [], losses: [] }
  private timer: ReturnType<typeof setTimeout> | undefined

  get isFinal(): boolean {
    return FINAL.has(this.status)
  }

  /** Follows until the end of the story or of the page. */
  async follow(model: string, signal: AbortSignal): Promise<void> {
    try {
      await follow(`/models/${encodeURIComponent(model)}/events`, (told) => this.hear(told), (told) => told.kind === 'status' && FINAL.has((told.data as { status: string }).status), signal)
    } catch (fault) {
      if (!signal.aborted) this.failure = why(fault)
    }
    this.flush()
    this.ended = true
  }

  hear({ kind, data }: Told): void {
    const said = data as Record<string, never>
    if (kind === 'progress') {
      this.step = said.step
      this.total = said.total_steps
      this.eta = said.eta_seconds
      if (said.loss !== null) {
        // A run that went on from a checkpoint tells some steps again: the later telling counts.
        const { steps, losses } = this.fresh
        while (steps.length && steps[steps.length - 1] >= said.step) {
          steps.pop()
          losses.pop()
        }
        steps.push(said.step)
        losses.push(said.loss)
        this.timer ??= setTimeout(() => this.flush(), AT_ONCE)
      }
    } else if (kind === 'preview') {
      (this.previews[said.step] ??= {})[said.index] = said.url
      if (said.caption) this.prompts[said.index] = inWords(said.caption)
    }
    else if (kind === 'score') this.scores[said.step] = said.score
    else if (kind === 'likeness') this.likeness[said.step] = { style: said.style, copy: said.copy }
    else if (kind === 'status') {
      this.status = said.status
      this.runStatus = said.run_status ?? this.runStatus
      this.error = said.error ?? null
    }
  }

  private flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    if (!this.fresh.steps.length) return
    const from = this.fresh.steps[0]
    const { steps, losses } = this.numbers
    let keep = steps.length
    while (keep > 0 && steps[keep - 1] >= from) keep--
    this.numbers = { steps: [...steps.slice(0, keep), ...this.fresh.steps], losses: [...losses.slice(0, keep), ...this.fresh.losses] }
    this.fresh = { steps: [], losses: [] }
  }
}
