/** Judgments in and out, and pictures of one's own. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { formats } from '../../feedback/formats/formats.ts'
import { exportFeedback } from '../../feedback/transfer.ts'
import { imageListName, readImageList } from '../../images/image-run.ts'
import { addImagesApart, importApart } from '../imports.ts'
import type { Judgment } from '../../records.ts'
import { promptsFrom } from '../jobs/orders.ts'
import { PromptText, RaterName } from '../schemas/basics.ts'
import { ExportQuery, Imported, ImportFormat, Uploaded } from '../schemas/transfer.ts'
import type { Studio } from '../studio.ts'
import { runsName } from '../workspace.ts'
import { worldOf } from '../worlds.ts'
import { blindImages } from './blind.ts'
import { download } from './downloads.ts'
import { refuse } from './failures.ts'
import type { ReceivedFile } from './forms.ts'
import { fileRoute, jsonRoute } from './route.ts'

const importLimit = 200e6
const uploadLimit = 500e6
const mostFiles = 500

const ImportForm = z.object({
  file: z.file(),
  format: ImportFormat,
  rater: RaterName.optional(),
  images: z.array(z.file()).optional(),
})
/** `prompts` is a JSON list of as many texts as there are files. */
const UploadForm = z.object({ files: z.array(z.file()).min(1).max(mostFiles), prompts: z.string() })

export const transferRoutes = [
  jsonRoute({
    method: 'post',
    path: '/api/import',
    summary: 'Add judgments of a file: all of them, or none where one is wrong.',
    who: 'admin',
    bodyLimit: importLimit,
    form: ImportForm,
    answer: Imported,
    handle: async ({ studio, rater, form: { fields, files } }) => {
      const { format, rater: named } = fieldsOf(z.object({ format: ImportFormat, rater: RaterName.optional() }), fields)
      const file = files.find(({ field }) => field === 'file')
      if (file === undefined) throw missingFile('file', 'one file')
      const pictures = files.filter(({ field }) => field === 'images')
      return await addImport(studio, file, pictures, { format, rater: named ?? rater })
    },
  }),
  fileRoute({
    method: 'get',
    path: '/api/export',
    summary:
      'All judgments as a file; votes on comparisons that the caller has not opened are kept back, and counted in the header x-attune-held.',
    who: 'admin',
    query: ExportQuery,
    answer: 'application/octet-stream',
    handle: async ({ studio, rater, query: { format, names } }) => {
      // A vote names the policies in the order of its images.
      const blind = await blindImages(studio, rater)
      const isHeld = ({ kind, images }: Judgment) => kind === 'vote' && images.some((id) => blind.has(id))
      let held = 0
      const answer = await download(studio, async (folder) => {
        const file = `judgments${formats[format].ending}`
        held = (await exportFeedback(studio.store, join(folder, file), { format, names, isHeld })).held
        return { file, archive: 'judgments.zip' }
      })
      answer.headers.set('x-attune-held', String(held))
      return answer
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/uploads',
    summary: 'Pictures of one’s own with their prompts, as a round; those that cannot be read are named.',
    who: 'admin',
    bodyLimit: uploadLimit,
    form: UploadForm,
    answer: Uploaded,
    handle: async ({ studio, form }) => {
      const files = form.files.filter(({ field }) => field === 'files')
      if (files.length === 0 || files.length > mostFiles) throw missingFile('files', `1 to ${mostFiles} pictures`)
      const { prompts } = fieldsOf(
        z.object({
          prompts: z.array(PromptText).length(files.length, 'a prompt for each file'),
        }),
        { prompts: parsedList(form.fields.prompts) },
      )
      return await addUploads(studio, files, prompts)
    },
  }),
]

/** As a round of their own, of those that the store does not have yet. */
async function addUploads(
  studio: Studio,
  files: readonly ReceivedFile[],
  prompts: readonly string[],
): Promise<Uploaded> {
  const world = worldOf(studio.model)
  const images = files.map(({ name, path }, i) => ({
    ...promptsFrom([prompts[i]], world)[0],
    name: name.slice(0, 200),
    file: path,
  }))
  const { ids, added, broken, run } = await addImagesApart(studio, { images })
  if (added > 0) {
    const of = [...new Set(ids.filter((id) => id !== undefined))]
    const createdAt = new Date().toISOString()
    await studio.rounds.add({ name: run, policy: 'uploaded', purpose: 'round', createdAt, images: of })
  }
  return { round: added > 0 ? run : null, images: added, broken: [...broken] }
}

/** What comes with pictures becomes a round of its own. */
async function addImport(
  studio: Studio,
  file: ReceivedFile,
  pictures: readonly ReceivedFile[],
  options: { readonly format: ImportFormat; readonly rater: string },
): Promise<Imported> {
  const paths = new Map<string, string>()
  for (const picture of pictures) {
    const name = lastPart(picture.name)
    const other = paths.get(name)
    if (other !== undefined && !readFileSync(other).equals(readFileSync(picture.path))) throw sameName(name)
    paths.set(name, picture.path)
  }
  const name = lastPart(file.name).slice(0, 200)
  const task = { ...options, file: file.path, name, pictures: [...paths] }
  const { leftOut, run, ...counts } = await importApart(studio, task)
  if (counts.images > 0) {
    const images = readImageList(studio.workspace.at(runsName, run, imageListName)).map(({ id }) => id)
    const createdAt = new Date().toISOString()
    await studio.rounds.add({ name: run, policy: 'uploaded', purpose: 'round', createdAt, images })
  }
  return { ...counts, leftOut: [...leftOut] }
}

/** Which one a file of judgments means could not be told. */
const sameName = (name: string) =>
  refuse(400, 'format', {
    where: `form images ${name}`,
    expected: 'images of different names',
    received: 'two of this name',
    remedy: 'import them with the command line, which knows folders',
  })

const lastPart = (path: string) => path.split(/[\\/]/).at(-1) ?? ''

function fieldsOf<S extends z.ZodType>(schema: S, given: unknown): z.output<S> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw refuse(400, 'config', {
    where: `form ${issue.path.join(' ')}`.trim(),
    expected: issue.message,
    received: 'another value',
    remedy: 'mend the form',
  })
}

function parsedList(value: unknown): unknown {
  try {
    return JSON.parse(String(value))
  } catch {
    return undefined
  }
}

const missingFile = (where: string, expected: string) =>
  refuse(400, 'config', { where: `form ${where}`, expected, received: 'none, or too many', remedy: 'choose files' })
