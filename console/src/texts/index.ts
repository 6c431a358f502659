// The language of the console. Another one is a file beside en.ts that satisfies `Texts`, and an entry here.
import { en } from './en'

export type Texts = typeof en

const LANGUAGES: Record<string, Texts> = { en }

export const LANGUAGE = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? 'en'

export const t: Texts = LANGUAGES[LANGUAGE]
