// What the server says of a refusal.
import { t } from '../texts'

/** The sentence of a refusal, whatever it is written under. */
export function sentence(body: unknown, status: number): string {
  if (body && typeof body === 'object') {
    for (const key of ['error', 'message', 'detail']) {
      const said = (body as Record<string, unknown>)[key]
      if (typeof said === 'string' && said) return said
    }
  }
  return t.failed.status(status)
}
