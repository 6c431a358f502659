// Server-sent events of a path. EventSource cannot send the session's header, so the stream is read by fetch.
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { get, Refused } from './api'
import { connection } from './connection.svelte'

export interface Told {
  kind: string
  data: unknown
}

const PAUSE = 1000

/**
 * Calls `hear` for each event from the first one on, once each and in order, whatever happens to the connection.
 * Resolves when the server has ended the stream (`isLast` said so of an event before) or `signal` is aborted.
 */
export async function follow(path: string, hear: (told: Told) => void, isLast: (told: Told) => boolean, signal: AbortSignal): Promise<void> {
  let last = ''
  let ended = false
  while (!ended && !signal.aborted) {
    try {
      const answer = await get(path, { signal, headers: last ? { 'Last-Event-ID': last } : {} })
      const events = answer.body!.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream()).getReader()
      for (;;) {
        const { done, value } = await events.read()
        if (done) break
        if (value.id) last = value.id
        const told = { kind: value.event ?? 'message', data: JSON.parse(value.data) as unknown }
        hear(told)
        ended ||= isLast(told)
      }
    } catch (fault) {
      if (signal.aborted) return
      if (fault instanceof Refused && fault.status !== 0 && fault.status < 500) throw fault
      await connection.back()
    }
    if (!ended) await new Promise((go) => setTimeout(go, PAUSE))
  }
}
