// Calls of the API, typed by the server's own description (schema.d.ts is made from /openapi.json by `make console`).
import createClient from 'openapi-fetch'
import { t } from '../texts'
import { connection } from './connection.svelte'
import { at, ROOT } from './place'
import type { components, paths } from './schema'
import { sentence } from './sentence'
import { session } from './session.svelte'

/** The wire's structs by their names: `Schemas['CustomModel']`. */
export type Schemas = components['schemas']

/** An answer that is no success. `message` is the server's own sentence. */
export class Refused extends Error {
  constructor(message: string, readonly status: number, readonly body: unknown = null) {
    super(message)
  }
}

const AGAIN = 2

/**
 * `fetch` as the console does it: with the session's headers, and repeated once the server is back after it went away.
 *
 * Whatever a POST does happens once however often it is sent, for it carries one Idempotency-Key. The routes under
 * /manage know no such keys: those are sent once, and their failure is told.
 */
export async function send(input: Request): Promise<Response> {
  const request = new Request(input, { headers: headers(input.headers), credentials: 'same-origin' })
  const manages = request.method === 'POST' && new URL(request.url).pathname.includes('/manage/')
  if (request.method === 'POST' && !manages && !request.headers.has('Idempotency-Key')) {
    request.headers.set('Idempotency-Key', crypto.randomUUID?.() ?? String(Math.random()))
  }
  for (let tries = 0; ; tries++) {
    let answer: Response
    try {
      answer = await fetch(request.clone())
    } catch (fault) {
      if (request.signal.aborted) throw fault
      connection.lost()
      if (manages) throw new Refused(t.connection.notSent, 0)
      await connection.back()
      continue
    }
    if (answer.status === 401 && !request.url.endsWith('/manage/api/session')) session.ended()
    const mayWait = answer.status === 503 && request.method === 'GET' && tries < AGAIN
    if (!mayWait || !(await isStopping(answer))) return answer
    await new Promise((go) => setTimeout(go, 1500))
  }
}

/** Busy or stopping: it passes. An engine that still loads may take minutes, and is told. */
async function isStopping(answer: Response): Promise<boolean> {
  const text = await answer.clone().text()
  return /try again shortly/.test(text) && !/engine/.test(text)
}

export function headers(given?: HeadersInit): Headers {
  const all = new Headers(given)
  all.set('X-Linocut-Console', '1')
  if (session.organization) all.set('X-Linocut-Organization', session.organization)
  return all
}

/** `api.GET('/models/{model_id}', { params: { path: { model_id } } })`; give it to `told`. */
export const api = createClient<paths>({ baseUrl: ROOT, fetch: send })

/** The answer's data; `Refused` with the server's sentence otherwise. */
export async function told<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call
  if (error !== undefined || !response.ok) throw new Refused(sentence(error, response.status), response.status, error)
  return data as T
}

/** A call of a path that the description does not type well (a file, another media type). */
export async function get(path: string, init: RequestInit = {}): Promise<Response> {
  const answer = await send(new Request(at(path), init))
  if (!answer.ok) {
    const body: unknown = await answer.json().catch(() => null)
    throw new Refused(sentence(body, answer.status), answer.status, body)
  }
  return answer
}

/** What to show of anything that was thrown. */
export const why = (fault: unknown): string => (fault instanceof Error && fault.message ? fault.message : t.failed.unknown)
