// The operations that draw or describe, and the fields of each, read from the server's own description (/openapi.json).
// Nothing here names an operation: a new one has its page as soon as the server describes it.

export type Kind = 'line' | 'text' | 'integer' | 'number' | 'choice' | 'flag' | 'file' | 'files' | 'lines' | 'group' | 'json'

export interface Field {
  name: string
  kind: Kind
  required: boolean
  about?: string
  choices?: string[]
  least?: number
  most?: number
  fallback?: unknown
  /** Of a group: its own fields. */
  fields?: Field[]
  /** Of several files or lines: how many at most. */
  many?: number
}

export interface Operation {
  /** What its page is called in the address: `v1-ideogram-v3-inpaint`. */
  id: string
  path: string
  summary: string
  /** Whether the body may be JSON; it is a form where not, or where there are files. */
  takesJson: boolean
  fields: Field[]
}

export type Values = Record<string, unknown>

interface Schema {
  $ref?: string
  type?: string
  enum?: unknown[]
  description?: string
  contentMediaType?: string
  minimum?: number
  maximum?: number
  maxItems?: number
  default?: unknown
  items?: Schema
  anyOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  'x-not-supported-yet'?: unknown
}
interface Described {
  paths: Record<string, Record<string, { tags: string[]; summary: string; requestBody?: { content: Record<string, { schema: Schema }> } }>>
  components: { schemas: Record<string, Schema> }
}

const TAGS = ['generate', 'vision']
const LONG = /prompt/

/** Every operation that a form can carry out here. One that tells a webhook has nobody here to tell. */
export function operationsOf(document: unknown): Operation[] {
  const { paths, components } = document as Described
  return Object.entries(paths).flatMap(([path, methods]) => {
    const said = methods.post
    if (!said?.requestBody || !TAGS.includes(said.tags[0]) || path.includes('/async/')) return []
    const content = said.requestBody.content
    const schema = resolved(Object.values(content)[0].schema, components.schemas)
    return [{
      id: path.slice(1).replaceAll('/', '-'), path, summary: said.summary,
      takesJson: 'application/json' in content, fields: fieldsOf(schema, components.schemas),
    }]
  })
}

function resolved(schema: Schema, schemas: Record<string, Schema>): Schema {
  let one = schema
  if (one.anyOf) one = { ...one.anyOf.find((choice) => choice.type !== 'null')!, ...one, anyOf: undefined }
  while (one.$ref) {
    const { $ref, ...rest } = one
    one = { ...schemas[$ref.split('/').pop()!], ...rest }
  }
  return one
}

function fieldsOf(schema: Schema, schemas: Record<string, Schema>): Field[] {
  const all = Object.entries(schema.properties ?? {}).filter(([, one]) => !('x-not-supported-yet' in one))
  const fields = all.map(([name, one]) => field(name, resolved(one, schemas), schemas, schema.required?.includes(name) ?? false))
  // What must be given comes first, pictures before words.
  const rank = (one: Field) => (one.required ? 0 : 2) + (one.kind === 'file' || one.kind === 'files' ? 0 : 1)
  return fields.sort((a, b) => rank(a) - rank(b))
}

function field(name: string, schema: Schema, schemas: Record<string, Schema>, required: boolean): Field {
  const common = { name, required, about: schema.description, fallback: schema.default }
  if (schema.enum) return { ...common, kind: 'choice', choices: schema.enum.map(String) }
  if (schema.contentMediaType) return { ...common, kind: 'file' }
  switch (schema.type) {
    case 'integer':
    case 'number':
      return { ...common, kind: schema.type, least: schema.minimum, most: schema.maximum }
    case 'boolean':
      return { ...common, kind: 'flag' }
    case 'array': {
      const items = resolved(schema.items ?? {}, schemas)
      return { ...common, kind: items.contentMediaType ? 'files' : 'lines', many: schema.maxItems }
    }
    case 'object':
      if (schema.properties && name.endsWith('_request')) return { ...common, kind: 'group', fields: fieldsOf(schema, schemas) }
      return { ...common, kind: 'json' }
    default:
      return { ...common, kind: LONG.test(name) && !name.endsWith('_id') ? 'text' : 'line' }
  }
}

/** A picture of a request: under which field, in which place, its file. */
export interface Part {
  field: string
  file: Blob
  name: string
}

/** What is sent: the fields that say something, and the pictures apart. */
export function said(fields: Field[], values: Values): { texts: Values; files: Part[] } {
  const texts: Values = {}
  const files: Part[] = []
  for (const one of fields) {
    const value = meant(one, values)
    if (one.kind === 'file') {
      if (value instanceof Blob) files.push({ field: one.name, file: value, name: `${one.name}.${ending(value)}` })
    } else if (one.kind === 'files') {
      const list = Array.isArray(value) ? value : []
      list.forEach((file: Blob, i) => files.push({ field: one.name, file, name: `${one.name}-${i + 1}.${ending(file)}` }))
    } else if (one.kind === 'group') {
      texts[one.name] = said(one.fields!, (value ?? {}) as Values).texts
    } else if (speaks(one, value)) {
      texts[one.name] = value
    }
  }
  return { texts, files }
}

/** What must be sent is sent as it usually is, where nothing else was said. */
const meant = (field: Field, values: Values): unknown => values[field.name] ?? (field.required ? field.fallback : undefined)

function speaks(field: Field, value: unknown): boolean {
  if (value === undefined || value === null || value === '' || Number.isNaN(value)) return false
  if (Array.isArray(value) && value.length === 0) return false
  return field.required || value !== field.fallback
}

const ending = (file: Blob): string => ({ 'image/jpeg': 'jpg', 'image/webp': 'webp' })[file.type] ?? 'png'

/** The required fields that say nothing yet. */
export function missing(fields: Field[], values: Values): string[] {
  return fields.flatMap((one) => {
    const value = meant(one, values)
    if (one.kind === 'group') return missing(one.fields!, (value ?? {}) as Values)
    if (!one.required) return []
    const there = value !== undefined && value !== '' && value !== null && !(Array.isArray(value) && value.length === 0)
    return there ? [] : [one.name]
  })
}

/** The body of the call, as a browser sends it. */
export function bodyOf(operation: Operation, values: Values): { body: BodyInit; headers: Record<string, string> } {
  const { texts, files } = said(operation.fields, values)
  if (operation.takesJson && files.length === 0) {
    return { body: JSON.stringify(texts), headers: { 'Content-Type': 'application/json' } }
  }
  const form = new FormData()
  for (const one of files) form.append(one.field, one.file, one.name)
  for (const [name, value] of Object.entries(texts)) form.append(name, asText(value))
  return { body: form, headers: {} }
}

/** A value of a form's field; whatever is no text is JSON there. */
export const asText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Where the seed is, if the operation takes one: at the top, or in the older routes' group. */
export function seedPlace(fields: Field[]): string[] | null {
  for (const one of fields) {
    if (one.name === 'seed') return ['seed']
    if (one.kind === 'group' && one.fields!.some((inner) => inner.name === 'seed')) return [one.name, 'seed']
  }
  return null
}

export function withSeed(values: Values, place: string[] | null, seed: number | undefined): Values {
  if (!place) return values
  const [first, second] = place
  if (second === undefined) return { ...values, [first]: seed }
  return { ...values, [first]: { ...(values[first] as Values), [second]: seed } }
}
