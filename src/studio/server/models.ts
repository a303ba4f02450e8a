/** Checkpoints, encoders and LoRA files: what lies here, what is fetched, what somebody brings, and what the studio uses. */
import { linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { z } from 'zod'
import { placeInside, writing } from '../../files.ts'
import { chooseModel, chosenModel } from '../models/chosen-model.ts'
import { readFetches, startFetch, stopFetch } from '../models/fetches.ts'
import { loraFiles } from '../models/lora-files.ts'
import { knownModels, type KnownModel } from '../models/known-models.ts'
import { doModelTask, type InspectionResult, type LoraResult, type OfferResult } from '../models/model-tasks.ts'
import {
  AddedLora,
  BroughtFile,
  Fetch,
  FileName,
  HubModel,
  ModelChoice,
  Models,
  NewFetch,
  Offer,
  Wanted,
  type Checkpoint,
} from '../schemas/models.ts'
import type { Studio } from '../studio.ts'
import { lorasName, modelsName } from '../workspace.ts'
import { worldOf } from '../worlds.ts'
import { notFound, refuse } from './failures.ts'
import type { ReceivedFile } from './forms.ts'
import { jsonRoute } from './route.ts'

/** Adapters of the largest models that are read are smaller. */
const loraLimit = 900e6
/** The largest checkpoints in one file that are read have 7 GB in fp16, twice as much in fp32. */
const checkpointLimit = 20e9

export const modelRoutes = [
  jsonRoute({
    method: 'get',
    path: '/api/models',
    summary: 'The models and LoRA files that lie here, downloads, and what the studio uses.',
    who: 'admin',
    answer: Models,
    handle: ({ studio }) => modelsOf(studio),
  }),
  jsonRoute({
    method: 'put',
    path: '/api/models/chosen',
    summary: 'Choose the checkpoint and the encoder that the studio is started with.',
    who: 'admin',
    body: ModelChoice,
    answer: Models,
    handle: async ({ studio, body }) => {
      const { model, encoder } = body
      const here = knownModels(studio.workspace)
      for (const name of [model, encoder]) if (name !== null) expectUsable(studio, here, name)
      if (model === null && encoder !== null) throw wrongChoice('no encoder, since the embedded model has its own')
      chooseModel(studio.workspace, model === null ? null : { model, encoder })
      return modelsOf(studio)
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/models/offer',
    summary: 'What a hub has under a name: its size and its licence.',
    who: 'admin',
    perMinute: 60,
    body: Wanted,
    answer: Offer,
    handle: async ({ studio, body }) => {
      const { commit: _, ...offer } = await offered(studio, body)
      const { model, revision } = body
      return { model, revision, ...offer, page: `${process.env.HF_ENDPOINT || 'https://huggingface.co'}/${model}` }
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/models/fetches',
    summary: 'Download a model whose licence was read and accepted, or go on with a download.',
    who: 'admin',
    body: NewFetch,
    answer: Fetch,
    handle: async ({ studio, body: { licence, ...wanted } }) => {
      const offer = await offered(studio, wanted)
      if ((offer.licence?.id ?? null) !== licence) {
        throw refuse(409, 'licence', {
          where: wanted.model,
          expected: `the licence ${offer.licence?.id ?? 'that the hub does not tell'}, read and accepted`,
          received: licence ?? 'none',
          remedy: 'look at the licence again, then begin',
        })
      }
      return startFetch(studio.workspace, wanted)
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/models/fetches/stop',
    summary: 'End a download; what has arrived stays, and the next one goes on with it.',
    who: 'admin',
    body: z.strictObject({ model: HubModel }),
    answer: Fetch,
    handle: ({ studio, body }) => stopFetch(studio.workspace, body.model),
  }),
  jsonRoute({
    method: 'post',
    path: '/api/models/files',
    summary: 'Bring a checkpoint in one .safetensors file.',
    who: 'admin',
    bodyLimit: checkpointLimit,
    form: z.object({ file: z.file() }),
    answer: BroughtFile,
    handle: async ({ studio, form: { files } }) =>
      await keep(studio, { files, folder: modelsName, look: (file) => expectCheckpoint(studio, file) }),
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/models/files/:name',
    summary: 'Remove a checkpoint that lies in the workspace in one file.',
    who: 'admin',
    params: z.object({ name: FileName }),
    answer: Models,
    handle: ({ studio, params: { name } }) => {
      const known = `${modelsName}/${name}`
      if (!knownModels(studio.workspace).some((one) => one.name === known)) throw notFound('model')
      const chosen = chosenModel(studio.workspace)
      if ([studio.model, studio.encoder, chosen?.model, chosen?.encoder].includes(known)) {
        throw wrongChoice('a model that the studio does not use, now or from its next start on')
      }
      rmSync(placeInside(studio.workspace.at(modelsName), name, 'model'))
      return modelsOf(studio)
    },
  }),
  jsonRoute({
    method: 'post',
    path: '/api/loras',
    summary: 'Bring a LoRA file that fits the model of the studio.',
    who: 'admin',
    bodyLimit: loraLimit,
    form: z.object({ file: z.file() }),
    answer: AddedLora,
    handle: async ({ studio, form: { files } }) =>
      await keep(studio, {
        ...{ files, folder: lorasName },
        look: async ({ name, file }) => {
          const { workspace, model } = studio
          return await doModelTask<LoraResult>(name, { kind: 'lora', folder: workspace.folder, file, name, model })
        },
      }),
  }),
  jsonRoute({
    method: 'delete',
    path: '/api/loras/:name',
    summary: 'Remove a LoRA file.',
    who: 'admin',
    params: z.object({ name: FileName }),
    answer: Models,
    handle: ({ studio, params: { name } }) => {
      if (!loraFiles(studio).some((one) => one.name === name)) throw notFound('LoRA file')
      rmSync(placeInside(studio.workspace.at(lorasName), name, 'LoRA file'))
      return modelsOf(studio)
    },
  }),
]

function modelsOf(studio: Studio): Models {
  const { workspace, model, encoder, inspections } = studio
  const here = knownModels(workspace)
  inspections.look(here)
  const chosen = chosenModel(workspace)
  const isSame = (chosen?.model ?? null) === model && (chosen?.encoder ?? null) === encoder
  const isEmbedded = worldOf(model) !== undefined
  return {
    inUse: { model, encoder, isEmbedded },
    chosen: isSame || (chosen === null && isEmbedded) ? null : chosen,
    checkpoints: here.map((one) => checkpointOf(studio, one)),
    loras: loraFiles(studio),
    fetches: readFetches(workspace),
  }
}

function checkpointOf({ inspections }: Studio, known: KnownModel): Checkpoint {
  const { name, place, bytes, isPartial } = known
  const told = inspections.of(known)
  const shown = told === null ? null : inspections.shown(told)
  return {
    ...{ name, place, bytes, isPartial },
    licence: shown?.licence ?? null,
    kind: shown === null ? null : kindOf(shown),
    rows: isPartial ? [] : (shown?.rows.map(([label, value]) => [label, value]) ?? null),
    error: isPartial ? 'Its download has not come to an end.' : (shown?.error ?? null),
  }
}

/** By what Attune can do with it. */
function kindOf({ rows, error }: InspectionResult): Checkpoint['kind'] {
  if (error !== null) return null
  const value = (label: string) => rows.find(([one]) => one === label)?.[1] ?? ''
  if (value('pipeline') !== '') return 'checkpoint'
  return value('network').startsWith('CLIPModel') ? 'encoder' : 'reward'
}

/** @throws {StudioError} what is not listed, or cannot be used so */
function expectUsable({ inspections }: Studio, here: readonly KnownModel[], name: string): void {
  const known = here.find((one) => one.name === name)
  if (known === undefined) throw notFound('model')
  const told = inspections.of(known)
  if (known.isPartial || told?.error !== null) throw wrongChoice('a model that was looked at and lacks nothing')
}

const wrongChoice = (expected: string) =>
  refuse(409, 'wrong-kind', {
    where: 'model',
    expected,
    received: 'another choice',
    remedy: 'choose one of the list, or wait until it has been looked at',
  })

async function offered({ workspace }: Studio, wanted: z.output<typeof Wanted>): Promise<OfferResult> {
  return await doModelTask<OfferResult>(wanted.model, { kind: 'offer', folder: workspace.folder, ...wanted })
}

interface Brought<T> {
  readonly files: readonly ReceivedFile[]
  /** Of the workspace: where it is kept. */
  readonly folder: typeof lorasName | typeof modelsName
  /** Throws where it is not to be kept. */
  readonly look: (brought: { readonly name: string; readonly file: string }) => Promise<T>
}

/** Keeps a file once it was looked at. @throws {StudioError} none, a name that cannot be one, or is taken */
async function keep<T>(
  { workspace }: Studio,
  { files, folder, look }: Brought<T>,
): Promise<T & { readonly name: string; readonly bytes: number }> {
  const sent = files.find(({ field }) => field === 'file')
  if (sent === undefined || sent.bytes === 0) {
    throw refuse(400, 'invalid', {
      where: 'form file',
      expected: 'a .safetensors file',
      received: sent === undefined ? 'none' : 'an empty one',
      remedy: 'choose a file',
    })
  }
  const name = FileName.safeParse(sent.name.split(/[/\\]/).at(-1)).data
  if (name === undefined) {
    throw refuse(400, 'format', {
      where: 'form file',
      expected: 'a name of letters, digits, dots and hyphens that ends with .safetensors',
      received: JSON.stringify(sent.name.slice(0, 100)),
      remedy: 'rename the file; pickles (.pt, .ckpt, .bin) are not read',
    })
  }
  const place = placeInside(workspace.at(folder), name, 'form file')
  // What it is, is told by its name too.
  const file = `${sent.path}.safetensors`
  renameSync(sent.path, file)
  const told = await look({ name, file })
  try {
    // Never over another one, whoever sends it at the same time.
    writing(place, () => linkSync(file, place))
  } catch (error) {
    if (statSync(place, { throwIfNoEntry: false }) === undefined) throw error
    throw refuse(409, 'name-taken', {
      where: name,
      expected: 'a name that no file here has',
      received: 'one that is taken',
      remedy: 'rename the file, or remove the other one first',
    })
  }
  return { ...told, name, bytes: sent.bytes }
}

/** @throws {StudioError} no checkpoint, or one that lacks something */
async function expectCheckpoint(
  { workspace }: Studio,
  { name, file }: { name: string; file: string },
): Promise<object> {
  const told = await doModelTask<InspectionResult>(name, { kind: 'inspect', folder: workspace.folder, model: file })
  if (kindOf(told) === 'checkpoint') return {}
  throw refuse(400, 'format', {
    where: name,
    expected: 'all parts of a Stable Diffusion checkpoint in one file',
    received: told.error?.replaceAll(file, name) ?? 'something else',
    remedy:
      'choose another file; models of several files are fetched by name, or laid into the folder “models” of the workspace',
  })
}
