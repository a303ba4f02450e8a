/** Files that are made for one answer: sent piece by piece, and gone when they are sent. */
import { randomUUID } from 'node:crypto'
import { createReadStream, globSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Studio } from '../studio.ts'
import { refuse } from './failures.ts'
import { uploadsName } from './forms.ts'
import { mostZipBytes, mostZipEntries, zipPieces, type ZipEntry } from './zip.ts'

/** Names and places of an entry, beside its content. */
const perEntry = 500

/**
 * Answers with a file, or with a ZIP archive of all that was written where there are several.
 *
 * @param make writes them into a folder of their own, which is gone when they are sent or nobody takes them any more;
 *   returns under which name they are sent
 */
export async function download(
  { workspace }: Pick<Studio, 'workspace'>,
  make: (folder: string) => Promise<{ readonly file: string; readonly archive: string }>,
): Promise<Response> {
  const folder = workspace.at(uploadsName, randomUUID())
  const remove = () => rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder)
  try {
    const { file, archive } = await make(folder)
    const entries = entriesOf(folder)
    const [name, pieces] =
      entries.length === 1 ? [file, filePieces(join(folder, file))] : [archive, zipPieces(checked(entries))]
    return new Response(streamOf(pieces, remove), {
      headers: {
        'content-type': 'application/octet-stream',
        'content-disposition': `attachment; filename="${name}"`,
      },
    })
  } catch (error) {
    remove()
    throw error
  }
}

const entriesOf = (folder: string): ZipEntry[] =>
  globSync('**/*.*', { cwd: folder }).map((name) => ({ name, file: join(folder, name) }))

function checked(entries: readonly ZipEntry[]): readonly ZipEntry[] {
  const bytes = entries.reduce((sum, { file }) => sum + statSync(file).size + perEntry, 0)
  if (entries.length <= mostZipEntries && bytes <= mostZipBytes) return entries
  throw refuse(413, 'too-large', {
    where: 'export',
    expected: `at most ${mostZipEntries} files and 4 GB in one archive`,
    received: 'more',
    remedy: 'export with the command line, which writes files of any size',
  })
}

/** As fast as it is taken. */
export function streamOf(pieces: AsyncIterator<Uint8Array>, after: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        try {
          const { done, value } = await pieces.next()
          if (done !== true) return controller.enqueue(value)
          after()
          controller.close()
        } catch (error) {
          after()
          controller.error(error)
        }
      },
      async cancel() {
        await pieces.return?.()
        after()
      },
    },
    { highWaterMark: 0 },
  )
}

/** Not opened before it is asked for. */
async function* filePieces(file: string): AsyncGenerator<Uint8Array> {
  for await (const piece of createReadStream(file)) yield piece as Buffer
}
