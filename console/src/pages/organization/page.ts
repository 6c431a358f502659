import ChartColumn from '@lucide/svelte/icons/chart-column'
import HeartPulse from '@lucide/svelte/icons/heart-pulse'
import KeyRound from '@lucide/svelte/icons/key-round'
import ScrollText from '@lucide/svelte/icons/scroll-text'
import Users from '@lucide/svelte/icons/users'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default [
  page({ path: '/team', title: t.team.title, load: () => import('./Team.svelte'), nav: { group: 'organization', order: 10, icon: Users } }),
  page({ path: '/keys', title: t.keys.title, load: () => import('./Keys.svelte'), nav: { group: 'organization', order: 20, icon: KeyRound } }),
  page({ path: '/usage', title: t.usage.title, load: () => import('./Usage.svelte'), nav: { group: 'organization', order: 30, icon: ChartColumn } }),
  page({ path: '/audit', title: t.audit.title, load: () => import('./Audit.svelte'), nav: { group: 'organization', order: 40, icon: ScrollText }, role: 'ADMIN' }),
  page({ path: '/status', title: t.server.title, load: () => import('./Status.svelte'), nav: { group: 'organization', order: 50, icon: HeartPulse }, administrators: true }),
]
