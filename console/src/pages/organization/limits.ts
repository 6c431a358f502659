// Limits as their page shows and sends them.
import type { Schemas } from '../../lib/api'

export type Limit = Schemas['SpendLimit']
type Price = Schemas['Price']

/** What a limit is of: a key by its id, or (null) the organisation. `limit`: the one that it has now. */
export interface Subject {
  key: string | null
  name: string
  limit: Limit | null
}

/** How much of a limit is used, 0 to 1; null where there is none. */
export function used(spent: Price, limit: Price | null): number | null {
  if (limit === null) return null
  return limit.amount > 0 ? Math.min(1, spent.amount / limit.amount) : 1
}
