/** `model fetch`: a model from the Hugging Face hub into the local cache, where `resolveCheckpoint` finds it. */
import { mkdirSync, readlinkSync, rmSync, statfsSync, symlinkSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { FileError } from '../../errors.ts'
import { placeInside, writeFileAtomic, writing } from '../../files.ts'
import { progress } from '../../progress.ts'
import { lockName, takeLock } from '../../run-lock.ts'
import { isImageRewardAt } from '../blip/image-reward.ts'
import { findVocabulary, vocabularyName } from '../blip/vocabulary.ts'
import { readConfig } from './component-config.ts'
import { bytesHere, downloadFile } from './download-file.ts'
import { hubCache, repositoryFolder } from './hub-cache.ts'
import { isHubName, isRevision } from './hub-name.ts'
import { listModel, openHub, type Hub, type HubFile, type HubListing } from './hub.ts'
import { pipelineFile, pipelineParts, wantedFiles, type Offer } from './wanted-files.ts'

export const FetchConfig = z.strictObject({
  model: z
    .string()
    .refine(isHubName, 'owner/name')
    .describe('Model on the Hugging Face hub: owner/name; HF_TOKEN opens gated ones.'),
  revision: z
    .string()
    .refine(isRevision, 'a branch, tag or commit')
    .default('main')
    .describe('Branch, tag or commit of the model.'),
  variant: z
    .enum(['fp16', 'bf16'])
    .nullable()
    .default(null)
    .describe('Precision of the weights to download, where the model has several; the plain files without it.'),
})
export type FetchConfig = z.infer<typeof FetchConfig>

const megabyte = 1e6

/**
 * Downloads what Attune reads of a model into the cache that the Hugging Face libraries share: of a BERT the vocabulary alone, and
 * that of ImageReward with it where there is none. A killed download is gone on with; a revision counts as there when all of
 * its files are whole and checked.
 *
 * @returns the folder with the model
 * @throws {DownloadError} no such model, no permission, no network, damaged on the way
 * @throws {ConfigError} HF_HUB_OFFLINE is set, or the model has no safetensors weights of this kind
 * @throws {FormatError} the hub tells of files outside of the model
 * @throws {FileError} no space, or the cache cannot be written
 * @throws {RunInUseError} another process downloads this model
 */
export async function fetchModel(config: FetchConfig): Promise<string> {
  const snapshot = await fetchOne(config)
  const lacksVocabulary = isImageRewardAt(snapshot) && findVocabulary(snapshot) === undefined
  if (lacksVocabulary) await fetchOne({ model: vocabularyName, revision: 'main', variant: null })
  return snapshot
}

async function fetchOne({ model, revision, variant }: FetchConfig): Promise<string> {
  const hub = openHub(model)
  const listing = await listModel(hub, model, revision)
  const cache = hubCache()
  const repository = join(cache, repositoryFolder(model))
  const locks = join(cache, '.locks', repositoryFolder(model))
  for (const folder of [join(repository, 'blobs'), locks]) writing(folder, () => mkdirSync(folder, { recursive: true }))
  takeLock(locks)
  try {
    const paths = listing.files.map(({ path }) => path)
    const offer = { paths, page: hub.page, ...(await inspect(hub, listing, repository)) }
    const files = filesOf(listing, offer, variant)
    const snapshot = join(repository, 'snapshots', listing.commit)
    const places = files.map(({ path }) => placeIn(snapshot, path, hub.page))
    await fetchFiles(hub, model, { ...listing, files }, repository)
    for (const [i, { hash }] of files.entries()) link(places[i], join(repository, 'blobs', hash))
    if (revision !== listing.commit) writeRef(join(repository, 'refs', revision), listing.commit)
    return snapshot
  } finally {
    rmSync(join(locks, lockName), { force: true })
  }
}

/** Where a file of a hub goes: what stands there may be a link, its folder may be none that leads out. @throws {FormatError} */
function placeIn(snapshot: string, path: string, page: string): string {
  const folder = dirname(path)
  return join(folder === '.' ? snapshot : placeInside(snapshot, folder, `${page} ${path}`), basename(path))
}

/** What there is of a model under a name. */
export interface HubOffer {
  readonly commit: string
  readonly files: number
  /** Of all files that `model fetch` would have, and of those that are not here. */
  readonly bytes: number
  readonly missingBytes: number
  /** Its model card, which tells the licence; undefined where there is none that may be read. */
  readonly card: string | undefined
}

/**
 * What {@link fetchModel} would download, without its weights.
 *
 * @throws {DownloadError | ConfigError | FileError} as {@link fetchModel}
 */
export async function offerOf({ model, revision, variant }: FetchConfig): Promise<HubOffer> {
  const hub = openHub(model)
  const listing = await listModel(hub, model, revision)
  const repository = join(hubCache(), repositoryFolder(model))
  const blobs = join(repository, 'blobs')
  writing(blobs, () => mkdirSync(blobs, { recursive: true }))
  const paths = listing.files.map(({ path }) => path)
  const files = filesOf(listing, { paths, page: hub.page, ...(await inspect(hub, listing, repository)) }, variant)
  const card = files.find(({ path }) => path === cardName)
  return {
    commit: listing.commit,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    missingBytes: files.reduce((sum, file) => sum + file.bytes - bytesHere(join(blobs, file.hash), file), 0),
    card: card && (await (await hub.fetch(urlOf(hub, listing.commit, card))).text()),
  }
}

const cardName = 'README.md'
const mostCardBytes = 1e6

/** Those that are read, and the model's card, in which its licence stands. */
function filesOf({ files }: HubListing, offer: Offer, variant: FetchConfig['variant']): HubFile[] {
  const wanted = new Set(wantedFiles(offer, variant))
  const isCard = ({ path, bytes }: HubFile) => path === cardName && bytes < mostCardBytes && offer.isVocabulary !== true
  return files.filter((file) => wanted.has(file.path) || isCard(file))
}

/** What a model is decides which of its files are read; that stands in one of them. */
async function inspect(hub: Hub, listing: HubListing, repository: string): Promise<Partial<Offer>> {
  const blobs = join(repository, 'blobs')
  const read = async (name: string) => {
    const file = listing.files.find(({ path }) => path === name)
    if (file === undefined) return undefined
    await downloadFile(hub, urlOf(hub, listing.commit, file), file, join(blobs, file.hash), () => undefined)
    return readConfig(blobs, file.hash, z.record(z.string(), z.unknown()))
  }
  const index = await read(pipelineFile)
  if (index !== undefined) return { parts: pipelineParts(index) }
  const config = await read('config.json')
  return { isVocabulary: config?.model_type === 'bert' }
}

async function fetchFiles(hub: Hub, model: string, { commit, files }: HubListing, repository: string): Promise<void> {
  const blobOf = (file: HubFile) => join(repository, 'blobs', file.hash)
  const distinct = [...new Map(files.map((file) => [file.hash, file])).values()]
  const missing = distinct.reduce((sum, file) => sum + file.bytes - bytesHere(blobOf(file), file), 0)
  expectSpace(repository, missing)
  const bar = progress(`fetch ${model}`, Math.ceil(missing / megabyte), 'MB')
  let [done, shown] = [0, 0]
  for (const file of distinct) {
    await downloadFile(hub, urlOf(hub, commit, file), file, blobOf(file), (bytes) => {
      done += bytes
      const whole = Math.round(done / megabyte)
      bar.advance(whole - shown, file.path)
      shown = whole
    })
  }
  bar.done(`${files.length} files`)
}

const urlOf = (hub: Hub, commit: string, { path }: HubFile) =>
  `${hub.page}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`

function expectSpace(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  if (bytes <= free) return
  const gigabytes = (count: number) => `${(count / 1e9).toFixed(1)} GB`
  throw new FileError({
    where: folder,
    expected: `${gigabytes(bytes)} of free space`,
    received: gigabytes(free),
    remedy: 'free some space, or set HF_HUB_CACHE to a folder on another disk',
  })
}

function link(file: string, blob: string): void {
  const folder = dirname(file)
  const target = relative(folder, blob)
  writing(file, () => {
    mkdirSync(folder, { recursive: true })
    try {
      if (readlinkSync(file) === target) return
    } catch {
      // Not there yet, or a copy that another program made where it could not link.
    }
    rmSync(file, { force: true })
    symlinkSync(target, file)
  })
}

function writeRef(ref: string, commit: string): void {
  writing(ref, () => mkdirSync(dirname(ref), { recursive: true }))
  writeFileAtomic(ref, commit)
}
