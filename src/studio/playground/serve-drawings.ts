/**
 * The work of the process that draws for the playground of a studio. It keeps the model loaded, and answers one order after the
 * other: see lines.ts. It ends with its input, and with the process that started it.
 */
import { createInterface } from 'node:readline'
import { setImmediate } from 'node:timers/promises'
import { AttuneError } from '../../errors.ts'
import { chooseAtOnce } from '../../images/at-once.ts'
import { drawImages, samplerOf } from '../../images/draw.ts'
import { drawnAtOnce } from '../../images/drawing-memory.ts'
import { imageRecord, requestOf } from '../../images/generate-images.ts'
import { samplingOf, type Open } from '../../images/open-model.ts'
import { encodePng } from '../../images/png.ts'
import type { Sampling } from '../../networks/generative-model.ts'
import { endWithParent } from '../../parent-watch.ts'
import { alone } from '../../tensor/group.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { Asked, DrawOrder, Told } from './lines.ts'
import { PolicyShelf } from './policy-shelf.ts'

const progressEveryMs = 100

const tell = (told: Told) => void process.stdout.write(`${JSON.stringify(told)}\n`)

/** Answers what comes in, as long as something does. */
export function serveDrawings(open: Open): void {
  endWithParent()
  const cancelled = new Set<number>()
  let shelf: Promise<PolicyShelf> | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function answer({ id, model, draw: order }: Extract<Asked, { id: number }>): Promise<void> {
    try {
      const opening = (shelf ??= PolicyShelf.open(model, open))
      // What was missing may be there the next time.
      opening.catch(() => (shelf = undefined))
      const opened = await opening
      tell({ id, isLoaded: true })
      const sampling = await draw(id, opened, order, () => cancelled.has(id))
      tell({ id, done: { sampling } })
    } catch (error) {
      if (!(error instanceof AttuneError)) throw error
      const { code, where, expected, received, remedy } = error
      tell({ id, complaint: { code, where, expected, received, remedy } })
    } finally {
      cancelled.delete(id)
    }
  }

  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const asked = JSON.parse(line) as Asked
      if ('cancel' in asked) cancelled.add(asked.cancel)
      else last = last.then(() => answer(asked))
    })
    .on('close', () => process.exit())
}

/** Draws in the batches in which `images generate` would, so that the pixels are the same. */
async function draw(id: number, from: PolicyShelf, order: DrawOrder, isCancelled: () => boolean): Promise<Sampling> {
  const { prompt, seed, images: perPrompt } = order
  const { model } = from.opened
  const sampling = samplingOf(model, { ...order, eta: null })
  const { name: sampler } = samplerOf(model, sampling)
  const requests = Array.from({ length: perPrompt }, (_, index) => requestOf(prompt, index, { seed, perPrompt }))
  for (const [place, { source, strength }] of order.policies.entries()) {
    using _scope = tensorScope()
    const policy = from.policy({ source, strength })
    const room = { stage: 'playground', device: model.device, group: alone }
    const [batchSize = model.defaults.batchSize] = chooseAtOnce(drawnAtOnce(policy, sampling, perPrompt, null), room)
    for (let first = 0; first < perPrompt; first += batchSize) {
      // What has come in meanwhile is looked at: whoever asked may be gone.
      await setImmediate()
      if (isCancelled()) return sampling
      const batch = requests.slice(first, first + batchSize)
      let toldAt = 0
      const onStep = ({ step, steps }: { step: number; steps: number }) => {
        if (performance.now() - toldAt < progressEveryMs) return
        toldAt = performance.now()
        tell({ id, progress: { policy: place, images: first + (batch.length * step) / steps } })
      }
      const pictures = drawImages(policy, batch, sampling, { batchSize, onStep })
      for (const [row, picture] of pictures.entries()) {
        const png = await encodePng(picture)
        const drawn = { seed, perPrompt, policy: source, loraScale: source === null ? 1 : strength }
        const record = imageRecord(prompt, png, first + row, drawn, { ...sampling, sampler })
        const { width, height } = picture
        tell({ id, image: { policy: place, record, png: png.toString('base64'), width, height } })
      }
    }
  }
  return sampling
}
