// Where the server is, seen from this page: everything is relative, so that a path prefix of a proxy works.

/** The server's address without a slash at its end; the page itself is at `console/` below it. */
export const ROOT = new URL('..', document.baseURI).href.replace(/\/$/, '')

/** A path of the API as an address. */
export const at = (path: string): string => `${ROOT}/${path.replace(/^\//, '')}`

/**
 * A link that the server signed, on this page's own origin. The server names itself by the address that clients know
 * (`LINOCUT_PUBLIC_URL`); whoever has opened the console under another one could not load pictures from there.
 */
export function here(link: string): string {
  const { pathname, search } = new URL(link, ROOT)
  const start = pathname.indexOf('/api/images/')
  return start < 0 ? link : ROOT + pathname.slice(start) + search
}
