import Images from '@lucide/svelte/icons/images'
import { page } from '../../lib/page'
import { t } from '../../texts'

export default page({ path: '/gallery', title: t.gallery.title, load: () => import('./Gallery.svelte'), nav: { group: 'work', order: 50, icon: Images } })
