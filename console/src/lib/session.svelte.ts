// Who has signed in, and in which of their organisations they work.
import { recall, remember } from './memory'
import { at } from './place'
import { sentence } from './sentence'
import type { components } from './schema'

type Person = components['schemas']['Session']
export type Profile = components['schemas']['ApiProfile']
export type Role = Profile['role']

const RANK: Record<Role, number> = { MEMBER: 0, ADMIN: 1, OWNER: 2 }

class Session {
  person = $state<Person | null>(null)
  profiles = $state<Profile[]>([])
  /** The id of the organisation that is worked in; empty before it is known. */
  organization = $state('')
  /** `unknown` until the server has been asked once; `over`: it ended while the console was open. */
  state = $state<'unknown' | 'out' | 'in' | 'over'>('unknown')

  get profile(): Profile | null {
    return this.profiles.find((one) => one.organization_id === this.organization) ?? null
  }

  /** Whether the role here is that one or more. */
  may(role: Role): boolean {
    return this.profile !== null && RANK[this.profile.role] >= RANK[role]
  }

  /** Asks the server who this is. Throws where it cannot be reached. */
  async look(): Promise<void> {
    const answer = await fetch(at('manage/api/session'), { headers: { 'X-Linocut-Console': '1' }, cache: 'no-store' })
    if (answer.ok) await this.begin((await answer.json()) as Person)
    else if (answer.status !== 401) throw new Error(String(answer.status))
    else if (this.state !== 'over') this.state = 'out' // what lies under the form to sign in again stays open
  }

  /**
   * Uses a one-time link. `in`: it signed somebody in at once; `choose`: a password is to be chosen with it first;
   * else the server's sentence about a link that is not good. Throws where the server cannot be reached.
   */
  async come(link: string): Promise<string> {
    const answer = await fetch(at('manage/api/use_link'), {
      method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Linocut-Console': '1' }, body: JSON.stringify({ link }),
    })
    const said: unknown = await answer.json().catch(() => null)
    if (answer.ok) {
      await this.begin(said as Person)
      return 'in'
    }
    return answer.status === 400 ? 'choose' : sentence(said, answer.status)
  }

  async begin(person: Person): Promise<void> {
    const answer = await fetch(at('manage/api/profiles'), { headers: { 'X-Linocut-Console': '1' }, cache: 'no-store' })
    if (!answer.ok) throw new Error(String(answer.status))
    const { profiles } = (await answer.json()) as { profiles: Profile[] }
    // Somebody else at this browser must not see what the last one left open.
    if (this.person && this.person.user_id !== person.user_id) location.reload()
    this.profiles = profiles
    const last = recall('organization')
    this.organization = (profiles.find((one) => one.organization_id === last) ?? profiles[0])?.organization_id ?? ''
    this.person = person
    this.state = 'in'
  }

  choose(organization: string): void {
    remember('organization', organization)
    this.organization = organization
  }

  /** A call was answered with 401: what is open stays open, and a form to sign in lies over it. */
  ended(): void {
    if (this.state === 'in') this.state = 'over'
  }
}

export const session = new Session()
