// A page says of itself where it is: a file src/pages/*/page.ts whose default export is made by `page`.
import type { Component } from 'svelte'
import type { Role } from './session.svelte'

export interface Page {
  /** `/datasets/:id`; the names come to the component as props. */
  path: string
  title: string
  /** The code of a page is loaded when it is first opened. */
  load: () => Promise<{ default: Component<any> }>
  /** Absent: it is not in the navigation. */
  nav?: { group: 'work' | 'organization'; order: number; icon: Component<{ size?: number }> }
  /** The least role in the organisation that sees it. */
  role?: Role
  /** Only for administrators of the server. */
  administrators?: true
}

export const page = (one: Page): Page => one
