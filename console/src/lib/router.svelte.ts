// The part of the address behind the # says which page is open: no server has to know the console's addresses.

export interface Place {
  path: string
  query: URLSearchParams
}

class Router {
  place = $state<Place>(read())

  start(): void {
    window.addEventListener('hashchange', () => (this.place = read()))
  }
}

function read(): Place {
  const [path = '', query = ''] = location.hash.replace(/^#/, '').split('?', 2)
  return { path: path.startsWith('/') ? path : '/', query: new URLSearchParams(query) }
}

export const router = new Router()

/** The link to a page: `to('/datasets/{id}', { tab: 'report' })`. Ids are encoded by the caller's template. */
export function to(path: string, query: Record<string, string | undefined> = {}): string {
  const said = new URLSearchParams(Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined))
  return `#${path}${said.size ? `?${said}` : ''}`
}

export function go(path: string, query: Record<string, string | undefined> = {}): void {
  location.hash = to(path, query)
}

/** Writes into the address how the page is looked at: a reload or Back shows it so again. It is no step of its own. */
export function keep(query: Record<string, string | undefined>): void {
  history.replaceState(null, '', to(router.place.path, query))
  router.place = read()
}

/** The values of a pattern's `:names` in a path, or null where it is another page. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const names = pattern.split('/')
  const parts = path.replace(/\/$/, '').split('/')
  if (pattern === '/') return parts.length < 2 || (parts.length === 2 && !parts[1]) ? {} : null
  if (names.length !== parts.length) return null
  const values: Record<string, string> = {}
  for (const [i, name] of names.entries()) {
    if (name.startsWith(':')) {
      try {
        values[name.slice(1)] = decodeURIComponent(parts[i])
      } catch {
        return null
      }
    } else if (name !== parts[i]) return null
  }
  return values
}
