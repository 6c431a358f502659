import Activity from '@lucide/svelte/icons/activity'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default [
  page({ path: '/runs', title: t.run.title, load: () => import('./Compare.svelte'), nav: { group: 'work', order: 30, icon: Activity } }),
  page({ path: '/runs/:id', title: t.run.one, load: () => import('./Run.svelte') }),
]
