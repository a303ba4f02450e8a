/** Judgments as a parquet file of Pick-a-Pic v2. */
import { createHash, randomUUID } from 'node:crypto'
import { renameSync, rmSync } from 'node:fs'
import { fileWriter, parquetWriteRows } from 'hyparquet-writer'
import sharp from 'sharp'
import { writing } from '../../files.ts'
import type { Judgment } from '../../records.ts'
import type { StoredImage } from '../store/known-rows.ts'
import { imageFile } from './image-file.ts'
import { columns, pairsOf, rankingNumber, type Pair, type PickRow } from './pick-a-pic.ts'
import type { Provenance } from './provenance.ts'

/** Rows that are in memory at once, with their images. */
const rowsAtOnce = 100

/**
 * Writes a row for every pair that was judged, and for every two images of a ranking; "both bad" is a tie. The images are
 * JPEG (quality 95, colours in full resolution); the export record stands in the key-value metadata under `attune`.
 *
 * @param judgments those that stand; of them, pairs and rankings are written
 * @throws {FileError} the file cannot be written; an older one stays
 */
export async function writePickAPic(
  file: string,
  judgments: readonly Judgment[],
  imageOf: (id: string) => StoredImage,
  provenance: Provenance,
): Promise<{ rows: number; beside: string[] }> {
  const pairs = judgments.flatMap(pairsOf)
  const written = new Map<string, string>()
  const judged = [...new Set(pairs.map(({ judgment }) => judgment))]
  const note = {
    key: 'attune',
    // Asked for when all rows are written: before that the pictures are not known.
    get value() {
      return JSON.stringify(provenance.about(judged, imageOf, written))
    },
  }
  const partial = `${file}.${randomUUID().slice(0, 8)}.partial`
  try {
    await parquetWriteRows({
      writer: fileWriter(partial),
      rows: rowsOf(pairs, imageOf, provenance, written),
      columns: Object.keys(columns).map((name) => ({ name, ...(name.startsWith('jpg_') ? jpegColumn : {}) })),
      schema: [
        { name: 'schema', num_children: Object.keys(columns).length },
        ...Object.entries(columns).map(([name, type]) => ({ name, ...type, repetition_type: 'OPTIONAL' as const })),
      ],
      rowGroupSize: rowsAtOnce,
      kvMetadata: [note],
      createdBy: `Attune ${provenance.version}`,
    })
    renameSync(partial, file)
  } catch (error) {
    rmSync(partial, { force: true })
    return writing(file, () => {
      throw error
    })
  }
  return { rows: pairs.length, beside: [] }
}

/** JPEG does not become smaller, and its bytes say nothing about order. */
const jpegColumn = { codec: 'UNCOMPRESSED', statistics: false } as const

async function* rowsOf(
  pairs: readonly Pair[],
  imageOf: (id: string) => StoredImage,
  { numberOf }: Provenance,
  written: Map<string, string>,
): AsyncGenerator<PickRow> {
  const perPrompt = new Map<string, number>()
  for (const { images } of pairs) {
    const { text } = imageOf(images[0]).record
    perPrompt.set(text, (perPrompt.get(text) ?? 0) + 1)
  }
  for (const [place, { judgment, images, label }] of pairs.entries()) {
    const [first, second] = images.map((id) => imageOf(id).record)
    const [jpg_0, jpg_1] = await Promise.all(images.map((id) => jpegOf(imageOf(id))))
    written.set(images[0], digestOf(jpg_0)).set(images[1], digestOf(jpg_1))
    yield {
      are_different: first.sha256 !== second.sha256,
      best_image_uid: label === 0.5 ? 'none' : images[1 - label],
      caption: first.text,
      created_at: nanosecondsOf(judgment.at),
      has_label: true,
      image_0_uid: images[0],
      image_0_url: '',
      image_1_uid: images[1],
      image_1_url: '',
      jpg_0,
      jpg_1,
      label_0: label,
      label_1: 1 - label,
      model_0: first.source?.model ?? first.policy,
      model_1: second.source?.model ?? second.policy,
      ranking_id: BigInt(rankingNumber(judgment.id)),
      user_id: BigInt(numberOf(judgment.rater)),
      num_example_per_prompt: BigInt(perPrompt.get(first.text) ?? 0),
      __index_level_0__: BigInt(place),
    }
  }
}

function nanosecondsOf(at: string): bigint | null {
  const time = BigInt(Date.parse(at)) * 1_000_000n
  return BigInt.asIntN(64, time) === time ? time : null
}

const digestOf = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

async function jpegOf(image: StoredImage): Promise<Uint8Array> {
  return new Uint8Array(await sharp(imageFile(image)).jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer())
}
