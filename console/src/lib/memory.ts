// What the browser keeps from one visit to the next. A browser that keeps nothing does no harm.

const PREFIX = 'linocut.'

export function recall(name: string): string | null {
  try {
    return localStorage.getItem(PREFIX + name)
  } catch {
    return null
  }
}

export function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(PREFIX + name)
    else localStorage.setItem(PREFIX + name, value)
  } catch {
    // private windows, full stores
  }
}

/** As `recall`, of something stored with `rememberJson`; null where there is nothing, or nothing readable. */
export function recallJson<T>(name: string): T | null {
  try {
    return JSON.parse(recall(name) ?? 'null') as T | null
  } catch {
    return null
  }
}

export const rememberJson = (name: string, value: unknown): void => remember(name, JSON.stringify(value))
