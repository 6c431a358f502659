// "Show the call": one request as a line of a shell, as Python and as JavaScript. Pasted, each gives the same answer.
// The key is read from LINOCUT_API_KEY; pictures lie beside the script under the names that `files` tells.
import { asText, type Operation, said, type Values } from './operations'

export interface Calls {
  curl: string
  python: string
  javascript: string
  files: { name: string; file: Blob }[]
}

export function callsOf(operation: Operation, values: Values, server: string): Calls {
  const { texts, files } = said(operation.fields, values)
  const inJson = operation.takesJson && files.length === 0
  const url = `${server}${operation.path}`
  return {
    curl: inJson ? curlJson(url, texts) : curlForm(url, texts, files),
    python: python(server, operation.path, texts, files, inJson),
    javascript: inJson ? scriptJson(url, texts) : scriptForm(url, texts, files),
    files: files.map(({ name, file }) => ({ name, file })),
  }
}

type Named = { field: string; name: string }[]
const KEY = '"Api-Key: $LINOCUT_API_KEY"'

/** One word of a shell, whatever it holds. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

function curlJson(url: string, fields: Values): string {
  return `curl -sS ${quoted(url)} \\\n  -H ${KEY} -H 'Content-Type: application/json' \\\n  --data-raw ${quoted(JSON.stringify(fields))}`
}

function curlForm(url: string, fields: Values, files: Named): string {
  const parts = files.map((one) => `-F ${quoted(`${one.field}=@${one.name}`)}`)
  for (const [name, value] of Object.entries(fields)) parts.push(`--form-string ${quoted(`${name}=${asText(value)}`)}`)
  return [`curl -sS ${quoted(url)} \\\n  -H ${KEY}`, ...parts].join(' \\\n  ')
}

/** JSON text is a literal of Python too; what it has no word for (true, null) stays inside a text. */
const literal = (value: unknown): string => JSON.stringify(value)

function python(server: string, path: string, fields: Values, files: Named, inJson: boolean): string {
  const given = `fields = json.loads(${literal(JSON.stringify(fields))})`
  const head = ['import json', 'import os', ...(files.length ? ['from pathlib import Path'] : []), '', 'from linocut.client import Client', '']
  const client = `client = Client(os.environ["LINOCUT_API_KEY"], ${literal(server)})`
  if (inJson) {
    const call = `answer = client.json_of("POST", ${literal(path)}, json=fields, timeout=330)`
    return [...head, client, given, call, 'print(json.dumps(answer, indent=2))'].join('\n')
  }
  const names = [...new Set(files.map((one) => one.field))]
  const pictures = names.map((field) => {
    const paths = files.filter((one) => one.field === field).map((one) => `Path(${literal(one.name)})`)
    return `${literal(field)}: [${paths.join(', ')}]`
  })
  const call = `answer = client.draw_with(${literal(path)}, {}, {${[...pictures, '**fields'].join(', ')}})`
  return [...head, client, given, call, 'print(json.dumps(answer, indent=2))'].join('\n')
}

const SENT = `const answer = await fetch(url, { method: 'POST', headers, body })\nconsole.log(JSON.stringify(await answer.json(), null, 2))`

function scriptJson(url: string, fields: Values): string {
  return [
    `const url = ${literal(url)}`,
    `const headers = { 'Api-Key': process.env.LINOCUT_API_KEY, 'Content-Type': 'application/json' }`,
    `const body = JSON.stringify(${literal(fields)})`,
    SENT,
  ].join('\n')
}

function scriptForm(url: string, fields: Values, files: Named): string {
  return [
    ...(files.length ? [`import { openAsBlob } from 'node:fs'`, ''] : []),
    `const url = ${literal(url)}`,
    `const headers = { 'Api-Key': process.env.LINOCUT_API_KEY }`,
    'const body = new FormData()',
    ...files.map((one) => `body.append(${literal(one.field)}, await openAsBlob(${literal(one.name)}), ${literal(one.name)})`),
    ...Object.entries(fields).map(([name, value]) => `body.append(${literal(name)}, ${literal(asText(value))})`),
    SENT,
  ].join('\n')
}
