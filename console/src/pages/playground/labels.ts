// What fields are called on the page.
import { t } from '../../texts'

const words: Record<string, string> = t.playground.fields

/** Its own word, or the wire's name as people write it: `aspect_ratio` is "Aspect ratio". */
export const label = (name: string): string => words[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ')
