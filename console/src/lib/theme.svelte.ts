// Light or dark: as the system has it, until somebody chooses.
import { recall, remember } from './memory'

export type Theme = 'system' | 'light' | 'dark'

class Themes {
  chosen = $state<Theme>((recall('theme') as Theme | null) ?? 'system')
  private dark = matchMedia('(prefers-color-scheme: dark)')
  /** Counts changes, so that charts, which draw with colours, draw again. */
  changes = $state(0)

  start(): void {
    this.dark.addEventListener('change', () => this.apply())
    this.apply()
  }

  choose(theme: Theme): void {
    this.chosen = theme
    remember('theme', theme === 'system' ? null : theme)
    this.apply()
  }

  private apply(): void {
    const dark = this.chosen === 'system' ? this.dark.matches : this.chosen === 'dark'
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
    this.changes += 1
  }
}

export const theme = new Themes()
