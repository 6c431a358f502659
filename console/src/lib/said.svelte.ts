// Short sentences at the foot of the page: what was done, what failed.

export interface Said {
  id: number
  text: string
  bad: boolean
}

class Sayings {
  list = $state<Said[]>([])
  private next = 1

  say(text: string, bad = false): void {
    const id = this.next++
    this.list.push({ id, text, bad })
    if (this.list.length > 4) this.list.shift()
    if (!bad) setTimeout(() => this.drop(id), 6000)
  }

  /** What failed on a page says nothing on the next. */
  turn(): void {
    this.list = this.list.filter((one) => !one.bad)
  }

  drop(id: number): void {
    this.list = this.list.filter((one) => one.id !== id)
  }
}

const sayings = new Sayings()
export const said = (): Said[] => sayings.list
export const say = (text: string): void => sayings.say(text)
export const complain = (text: string): void => sayings.say(text, true)
export const turnPage = (): void => sayings.turn()
export const dropSaid = (id: number): void => sayings.drop(id)
