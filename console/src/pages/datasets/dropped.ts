// What was dropped: files, and everything inside of folders, with the folders in their names.

export interface Dropped {
  file: File
  name: string
}

/** All files of a drop. It must be called before the event has ended: the list is empty afterwards. */
export async function dropped(data: DataTransfer): Promise<Dropped[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null)
  if (!entries.length) return chosen(data.files)
  return (await Promise.all(entries.map((entry) => inside(entry, '')))).flat()
}

/** Files of an `<input type="file">`; those of a folder know where in it they were. */
export const chosen = (files: FileList): Dropped[] =>
  [...files].filter((file) => !isHidden(file.name)).map((file) => ({ file, name: file.webkitRelativePath || file.name }))

/** What systems leave in folders and nobody means to send. */
const isHidden = (name: string): boolean => name.startsWith('.') || name === 'Thumbs.db' || name === '__MACOSX'

async function inside(entry: FileSystemEntry, folder: string): Promise<Dropped[]> {
  if (isHidden(entry.name)) return []
  if (entry.isFile) {
    const file = await new Promise<File>((got, failed) => (entry as FileSystemFileEntry).file(got, failed))
    return [{ file, name: folder + entry.name }]
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  const found: Dropped[] = []
  for (;;) {
    // A browser gives a hundred at a time.
    const some = await new Promise<FileSystemEntry[]>((got, failed) => reader.readEntries(got, failed))
    if (!some.length) return found
    found.push(...(await Promise.all(some.map((one) => inside(one, `${folder}${entry.name}/`)))).flat())
  }
}
