import Images from '@lucide/svelte/icons/folder-open'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default [
  page({ path: '/datasets', title: t.datasets.title, load: () => import('./Datasets.svelte'), nav: { group: 'work', order: 10, icon: Images } }),
  page({ path: '/datasets/:id', title: t.datasets.one, load: () => import('./Dataset.svelte') }),
]
