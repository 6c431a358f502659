// All pages, found by their places.
import type { Page } from './page'
import { match } from './router.svelte'

const found = import.meta.glob<{ default: Page | Page[] }>('../pages/*/page.ts', { eager: true })

export const pages: Page[] = Object.values(found).flatMap((one) => one.default)

export interface Opened {
  page: Page
  values: Record<string, string>
}

export function pageAt(path: string): Opened | null {
  for (const one of pages) {
    const values = match(one.path, path)
    if (values) return { page: one, values }
  }
  return null
}
