import Boxes from '@lucide/svelte/icons/boxes'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default [
  page({ path: '/models', title: t.models.title, load: () => import('./Models.svelte'), nav: { group: 'work', order: 40, icon: Boxes } }),
  page({ path: '/models/:id', title: t.models.one, load: () => import('./Model.svelte') }),
]
