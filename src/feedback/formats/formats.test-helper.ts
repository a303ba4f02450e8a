/** A store with real pictures, for the tests of this folder. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempDisposableSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import type { ImageRecord, Judgment } from '../../records.ts'
import { imageRecord } from '../feedback-fixtures.test-helper.ts'
import { openFeedback, type FeedbackStore } from '../store/store.ts'
import { importFeedback, type ImportOptions } from '../transfer.ts'
import type { ImportFormatName } from './formats.ts'

/** An image of one colour. */
export const picture = (background: string, { width = 8, height = 8 } = {}) =>
  sharp({ create: { width, height, channels: 3, background } })

export interface Workspace extends AsyncDisposable {
  readonly store: FeedbackStore
  readonly images: readonly ImageRecord[]
  at(...names: readonly string[]): string
}

/** A folder with a store of images of these prompts, each of its own colour. */
export async function workspace(texts: readonly string[] = []): Promise<Workspace> {
  const folder = mkdtempDisposableSync(join(tmpdir(), 'formats-'))
  const at = (...names: readonly string[]) => join(folder.path, ...names)
  const store = await openFeedback(at('feedback.sqlite'))
  mkdirSync(at('drawn', 'images'), { recursive: true })
  const images = await Promise.all(
    texts.map(async (text, index) => {
      const png = await picture(`rgb(${(index * 47) % 256}, ${(index * 101) % 256}, 160)`)
        .png()
        .toBuffer()
      const record = imageRecord(index, text)
      writeFileSync(at('drawn', record.file), png)
      return { ...record, sha256: createHash('sha256').update(png).digest('hex') }
    }),
  )
  await store.addImages(images, at('drawn'))
  return {
    store,
    images,
    at,
    async [Symbol.asyncDispose]() {
      await store.close()
      folder.remove()
    },
  }
}

/** Imports items whose images lie beside the file. */
export async function imported(
  { store, at }: Workspace,
  format: ImportFormatName,
  items: unknown,
  names: readonly string[],
  options: ImportOptions = {},
) {
  for (const [i, name] of names.entries()) {
    writeFileSync(
      at(name),
      await picture(`rgb(10, ${i * 20}, 99)`)
        .png()
        .toBuffer(),
    )
  }
  writeFileSync(at('a.json'), JSON.stringify(items))
  const folder = at(`new-${readdirSync(at()).length}`)
  return await importFeedback(store, at('a.json'), { format, folder, ...options })
}

/** Judgments with the names that their images came under. */
export async function named({ store }: Workspace) {
  const names = new Map((await store.images()).map(({ record }) => [record.id, record.source?.name]))
  return (await store.judgments()).map(({ id: _id, images, ...rest }) => ({
    ...rest,
    images: images.map((image) => names.get(image)),
  }))
}

type Pair = Extract<Judgment, { kind: 'pair' }>
type Ranking = Extract<Judgment, { kind: 'ranking' }>

const shared = { rater: 'Ada <ada@example.org>', raterKind: 'person', at: '2026-01-02T03:04:05.678Z' } as const

export const pair = (id: string, images: readonly ImageRecord[], answer: Pair['answer']): Pair => ({
  ...shared,
  id,
  kind: 'pair',
  images: images.map((image) => image.id),
  answer,
})

export const ranking = (id: string, images: readonly ImageRecord[], ranks: number[]): Ranking => ({
  ...shared,
  id,
  kind: 'ranking',
  images: images.map((image) => image.id),
  answer: 'ranked',
  ranks,
})
