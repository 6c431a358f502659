// For tests of components: a server of a few answers, and a page that is looked at.
import { type Component, flushSync, mount, unmount } from 'svelte'
import { onTestFinished, vi } from 'vitest'

export interface Sent {
  method: string
  path: string
  query: string
  body: string
}
type Answer = (sent: Sent) => unknown

/** Answers what the console asks for by `METHOD /path`; a `Response` as it is, anything else as JSON. What was asked. */
export function serving(answers: Record<string, unknown>): Sent[] {
  const asked: Sent[] = []
  vi.stubGlobal('fetch', async (input: Request | string, init?: RequestInit) => {
    const request = new Request(input, init)
    const { pathname: path, search: query } = new URL(request.url)
    const sent = { method: request.method, path, query, body: await request.text() }
    asked.push(sent)
    const answer = answers[`${sent.method} ${sent.path}`]
    const told: unknown = await (typeof answer === 'function' ? (answer as Answer)(sent) : answer)
    return told instanceof Response ? told : Response.json(told ?? {}, { status: told === undefined ? 404 : 200 })
  })
  onTestFinished(() => void vi.unstubAllGlobals())
  return asked
}

export const refused = (error: string): Response => Response.json({ error }, { status: 400 })

// jsdom has no sizes and no view: nothing is ever seen to come into it.
class Blind {
  observe() {}
  unobserve() {}
  disconnect() {}
}

/** A component in the page until the test is over. */
export function show<P extends Record<string, unknown>>(component: Component<P>, props: P): void {
  for (const name of ['IntersectionObserver', 'ResizeObserver']) vi.stubGlobal(name, Blind)
  const shown = mount(component, { target: document.body, props })
  flushSync()
  onTestFinished(async () => {
    await unmount(shown)
    vi.unstubAllGlobals()
    localStorage.clear()
  })
}

/** Waits until it is so, and says what it found. */
export async function until<T>(look: () => T): Promise<NonNullable<T>> {
  return vi.waitUntil(() => {
    flushSync()
    return look()
  }, { timeout: 3000, interval: 5 }) as Promise<NonNullable<T>>
}

/** What is under that label, as people find it. */
export function field(label: string): HTMLInputElement {
  const id = [...document.querySelectorAll('label')].find((one) => one.textContent!.trim() === label)?.htmlFor
  return (id ? document.getElementById(id) : document.querySelector(`[aria-label="${label}"]`)) as HTMLInputElement
}
export const button = (name: string): HTMLButtonElement =>
  [...document.querySelectorAll('button')].find((one) => (one.getAttribute('aria-label') ?? one.textContent!).trim() === name)!

export function type(into: HTMLElement, text: string): void {
  (into as HTMLInputElement).value = text
  into.dispatchEvent(new Event('input', { bubbles: true }))
  flushSync()
}
export function click(on: HTMLElement): void {
  on.click()
  flushSync()
}
/** Whether the browser asks before the page is left. */
export function asksToLeave(): boolean {
  const event = new Event('beforeunload', { cancelable: true })
  window.dispatchEvent(event)
  return event.defaultPrevented
}
export const text = (): string => document.body.textContent ?? ''
