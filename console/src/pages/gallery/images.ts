// Images that were drawn: where they can be sent, and their files with what drew them inside.
import type { Schemas } from '../../lib/api'
import type { Operation } from '../../lib/operations'
import { here } from '../../lib/place'
import { withText } from '../../lib/png'

export type Drawn = Schemas['DrawnImage']

/** Operations that work on a picture. */
export const editors = (operations: Operation[]): Operation[] =>
  operations.filter((one) => one.fields.some((field) => field.required && field.kind === 'file') || one.path === '/v1/edit')

/** The page of the operation at this address. */
export const pageOf = (path: string): string => path.slice(1).replaceAll('/', '-')

/** The id of the image that a signed link leads to. */
export const idIn = (link: string): string => /\/([A-Za-z0-9_-]+)\.png/.exec(link)?.[1] ?? ''

/** The file, with the call that draws it again in it as JSON under the word `linocut`. */
export async function fileOf(image: Drawn): Promise<Blob> {
  const answer = await fetch(here(image.url))
  if (!answer.ok) throw new Error(String(answer.status))
  const png = new Uint8Array(await answer.arrayBuffer())
  const call = { path: image.path, parameters: image.parameters, seed: image.seed, model: image.custom_model_uri, base: image.x_linocut?.base, created: image.created }
  return new Blob([withText(png, 'linocut', JSON.stringify(call))], { type: 'image/png' })
}

export function save(name: string, file: Blob): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 1000)
}
