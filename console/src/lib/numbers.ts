// Numbers, sizes and times as people read them.
import { LANGUAGE, t } from '../texts'

const plain = new Intl.NumberFormat(LANGUAGE)
const day = new Intl.DateTimeFormat(LANGUAGE, { dateStyle: 'medium', timeStyle: 'short' })

export const count = (n: number): string => plain.format(n)

export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  while (n >= 1000 && i < units.length - 1) {
    n /= 1000
    i++
  }
  return `${i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)} ${units[i]}`
}

export const when = (time: string | null | undefined): string => (time ? day.format(new Date(time)) : t.never)

/** 75 -> "1 min 15 s". */
export function span(seconds: number): string {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min${s % 60 ? ` ${s % 60} s` : ''}`
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
}

/** What was typed, as a number: undefined where nothing was, NaN where it is none. A comma is the decimal point. */
export function typedNumber(text: string): number | undefined {
  const number = Number(text.replace(',', '.'))
  return text.trim() === '' ? undefined : Number.isFinite(number) ? number : NaN
}

/** As `typedNumber`, of a whole number. */
export function typedWhole(text: string): number | undefined {
  const number = Number(text)
  return text.trim() === '' ? undefined : Number.isInteger(number) ? number : NaN
}

/** Four significant digits, as losses are read. */
export const figure = (n: number | null | undefined): string =>
  n === null || n === undefined ? '–' : Math.abs(n) >= 1e4 || (n !== 0 && Math.abs(n) < 1e-3) ? n.toExponential(2) : String(Number(n.toPrecision(4)))
