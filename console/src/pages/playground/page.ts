import Wand from '@lucide/svelte/icons/wand-sparkles'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default [
  page({ path: '/playground', title: t.playground.title, load: () => import('./List.svelte'), nav: { group: 'work', order: 40, icon: Wand } }),
  page({ path: '/playground/:operation', title: t.playground.title, load: () => import('./Playground.svelte') }),
]
