// Usage added up by what one asks for.
import type { Schemas } from '../../lib/api'
import { t } from '../../texts'

export type By = 'tool' | 'key' | 'member' | 'model'
type Tool = Schemas['ToolUsage']
type Key = Schemas['ApiProfileApiKey']

export interface Sum {
  name: string
  perDay: number[]
  quantity: number
  seconds: number
  amount: number
  currency: string
}

/** One sum for each tool, key, member or model, the largest first; `perDay` has a number for each segment. */
export function summed(segments: { tools: Tool[] }[], by: By, keys: Key[]): Sum[] {
  const sums = new Map<string, Sum>()
  const named = new Map(keys.map((key) => [key.api_key_id, key.label ?? key.redacted_api_key]))
  segments.forEach(({ tools }, day) => {
    for (const tool of tools) {
      const name = {
        tool: tool.full_tool_name,
        key: tool.api_key_id ? (named.get(tool.api_key_id) ?? tool.api_key_id) : t.usage.console,
        member: tool.x_linocut?.display_handle ?? tool.user_email_address ?? t.usage.nobody,
        model: tool.x_linocut?.model_id ?? t.usage.base,
      }[by]
      let sum = sums.get(name)
      if (!sum) sums.set(name, (sum = { name, perDay: segments.map(() => 0), quantity: 0, seconds: 0, amount: 0, currency: tool.amount.currency_code }))
      const quantity = tool.x_linocut?.quantity ?? 0
      sum.perDay[day] += quantity
      sum.quantity += quantity
      sum.seconds += tool.x_linocut?.device_seconds ?? 0
      sum.amount += tool.amount.amount
    }
  })
  return [...sums.values()].sort((a, b) => b.quantity - a.quantity)
}
