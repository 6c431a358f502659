// Files on their way into a dataset: one after another, each with its bar, again after a lost connection.
import { headers, type Schemas } from './api'
import { sentence } from './sentence'
import { connection } from './connection.svelte'
import { at } from './place'

type Answer = Schemas['UploadDatasetAssetsResponse']

export interface Upload {
  id: number
  name: string
  size: number
  /** 0 to 1. */
  sent: number
  state: 'waiting' | 'sending' | 'taking' | 'paused' | 'done' | 'refused'
  taken: number
  /** One for each file that was refused, of a ZIP perhaps many. */
  refused: { name: string; why: string }[]
  notes: string[]
}

interface Waiting {
  upload: Upload
  files: { file: File; name: string }[]
  key: string
}

/** So many bytes of small files share one request: hundreds of pictures are not hundreds of requests. */
const TOGETHER_BYTES = 8_000_000
const TOGETHER_FILES = 12

/** The uploads into one dataset. Whoever shows them need not be there all the time: they go on. */
export class Uploads {
  list = $state<Upload[]>([])
  busy = $state(false)
  private queue: Waiting[] = []
  private next = 1

  constructor(private dataset: string, private changed: () => void) {}

  /**
   * Takes files. A caption goes in the same request as its picture, so that the two find each other at once.
   * `name` may have folders in it.
   */
  add(files: { file: File; name: string }[]): void {
    for (const group of grouped(files)) {
      const upload: Upload = {
        id: this.next++, name: group.map((one) => one.name).join(', '), size: group.reduce((sum, one) => sum + one.file.size, 0),
        sent: 0, state: 'waiting', taken: 0, refused: [], notes: [],
      }
      this.list.push(upload)
      this.queue.push({ upload: this.list[this.list.length - 1], files: group, key: crypto.randomUUID?.() ?? `${Date.now()}-${this.next}` })
    }
    void this.work()
  }

  /** Forgets what is done, so that the list shows what is not. */
  clear(): void {
    this.list = this.list.filter((one) => one.state !== 'done' && one.state !== 'refused')
  }

  private async work(): Promise<void> {
    if (this.busy) return
    this.busy = true
    for (let waiting = this.queue.shift(); waiting; waiting = this.queue.shift()) {
      await this.carry(waiting)
      this.changed()
    }
    this.busy = false
  }

  private async carry({ upload, files, key }: Waiting): Promise<void> {
    for (;;) {
      upload.state = 'sending'
      upload.sent = 0
      const { status, body } = await post(this.dataset, files, key, (share) => {
        upload.sent = share
        if (share >= 1) upload.state = 'taking'
      })
      if (status === 0 || status === 502 || status === 503 || status === 504) {
        upload.state = 'paused'
        if (status === 0) connection.lost()
        await connection.back()
        await new Promise((go) => setTimeout(go, 1000))
        continue
      }
      if (status !== 200) {
        upload.refused = files.map((one) => ({ name: one.name, why: sentence(body, status) }))
        upload.state = 'refused'
        return
      }
      const answer = body as Answer
      upload.sent = 1
      upload.taken = answer.success_count
      upload.refused = answer.failed_assets.map((one) => ({ name: one.file_name ?? '', why: one.message }))
      upload.notes = answer.x_linocut?.notes ?? []
      upload.state = upload.refused.length ? 'refused' : 'done'
      return
    }
  }
}

const STEM = /\.(?:txt|caption|json|png|jpe?g|webp)$/i

/** Files of one name stay together, and small ones share a request. */
export function grouped(files: { file: File; name: string }[]): { file: File; name: string }[][] {
  const pairs = new Map<string, { file: File; name: string }[]>()
  for (const one of files) {
    const stem = STEM.test(one.name) ? one.name.replace(STEM, '') : `${one.name}/`
    pairs.set(stem, [...(pairs.get(stem) ?? []), one])
  }
  const groups: { file: File; name: string }[][] = []
  let room = 0
  for (const pair of pairs.values()) {
    const size = pair.reduce((sum, one) => sum + one.file.size, 0)
    const last = groups[groups.length - 1]
    if (last && size <= room && last.length + pair.length <= TOGETHER_FILES) {
      last.push(...pair)
      room -= size
    } else {
      groups.push([...pair])
      room = TOGETHER_BYTES - size
    }
  }
  return groups
}

function post(dataset: string, files: { file: File; name: string }[], key: string, sent: (share: number) => void): Promise<{ status: number; body: unknown }> {
  return new Promise((end) => {
    const form = new FormData()
    for (const { file, name } of files) form.append('files', file, name)
    const request = new XMLHttpRequest() // fetch tells nothing of how far a body is
    request.open('POST', at(`datasets/${encodeURIComponent(dataset)}/upload_assets`))
    headers({ 'Idempotency-Key': key }).forEach((value, name) => request.setRequestHeader(name, value))
    request.upload.onprogress = (event) => sent(event.total ? event.loaded / event.total : 0)
    request.upload.onload = () => sent(1)
    request.onloadend = () => end({ status: request.status, body: readable(request.responseText) })
    request.send(form)
  })
}

function readable(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const all = new Map<string, Uploads>()

/** The uploads into a dataset, the same ones whenever its page is opened. */
export function uploadsInto(dataset: string, changed: () => void): Uploads {
  let one = all.get(dataset)
  if (!one) all.set(dataset, (one = new Uploads(dataset, () => listeners.get(dataset)?.())))
  listeners.set(dataset, changed)
  return one
}

const listeners = new Map<string, () => void>()
