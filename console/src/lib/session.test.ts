import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { refused, serving } from '../testing'
import { session } from './session.svelte'

const PERSON = { user_id: 'u' }
const signedOut = () => new Response(null, { status: 401 })
let answer: () => unknown

beforeEach(() => {
  serving({ 'GET /manage/api/session': () => answer(), 'GET /manage/api/profiles': { profiles: [] } })
})
afterEach(() => {
  session.state = 'unknown'
  session.person = null
})

describe('a session', () => {
  it('that ended while the console was open is over until somebody is signed in, in whichever tab', async () => {
    answer = () => PERSON
    await session.look()
    session.ended()
    answer = signedOut
    await session.look()
    expect(session.state).toBe('over')
    answer = () => PERSON
    await session.look()
    expect(session.state).toBe('in')
  })
  it('that there is not is looked for once, and where the server cannot say, that is thrown', async () => {
    answer = signedOut
    await session.look()
    expect(session.state).toBe('out')
    answer = () => refused('busy')
    await expect(session.look()).rejects.toThrow('400')
  })
})
