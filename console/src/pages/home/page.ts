import House from '@lucide/svelte/icons/house'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default page({ path: '/', title: t.home.title, load: () => import('./Home.svelte'), nav: { group: 'work', order: 0, icon: House } })
