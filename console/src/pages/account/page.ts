import { page } from '../../lib/page'
import { t } from '../../texts'

export default page({ path: '/account', title: t.account.title, load: () => import('./Account.svelte') })
