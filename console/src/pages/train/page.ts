import Flame from '@lucide/svelte/icons/graduation-cap'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default page({ path: '/train', title: t.train.title, load: () => import('./Train.svelte'), nav: { group: 'work', order: 20, icon: Flame } })
