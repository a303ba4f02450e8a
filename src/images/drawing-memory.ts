/** What drawing images takes. */
import { policyOf, type GenerativeModel, type Sampling } from '../networks/generative-model.ts'
import { mostHeld } from '../tensor/memory.ts'
import type { Run } from '../run.ts'
import { tensorScope } from '../tensor/scope.ts'
import { chooseAtOnce, type AtOnce, type Room } from './at-once.ts'
import { decodeStages, drawStages } from './draw.ts'

/** More images at once are hardly faster on any device. */
export const mostDrawn = 32
/** Steps that are tried: all take the same. */
const tried = 2

/**
 * @param policy hollow
 * @returns bytes that are held at the most beside the model while `count` images are drawn at once
 */
function drawingBytes(policy: GenerativeModel, sampling: Sampling, count: number): number {
  const steps = Math.min(tried, sampling.steps)
  const requests = Array.from({ length: count }, (_, index) => ({ text: '', seed: 0, index }))
  const held = mostHeld(() => decodeStages(policy, drawStages(policy, requests, { ...sampling, steps })))
  return held + noiseBytes(policy, count, sampling.steps - steps)
}

/** Of the noise of so many steps. */
function noiseBytes(policy: GenerativeModel, count: number, steps: number): number {
  return 4 * count * steps * policyOf(policy).stateShape.reduce((product, side) => product * side, 1)
}

/**
 * `--batch-size` of a stage that draws with this model; nothing of a model that has no hollow form. Call it in a scope.
 *
 * @param all images that it draws
 */
export function drawnAtOnce(policy: GenerativeModel, sampling: Sampling, all: number, given: number | null): AtOnce[] {
  const hollow = policy.hollow?.()
  if (hollow === undefined) return []
  const { batchSize: usual } = policy.defaults
  const bytes = (count: number) => drawingBytes(hollow, sampling, count)
  const most = Math.max(mostDrawn, usual)
  return [{ field: 'batchSize', what: 'images drawn', given: given ?? undefined, usual, most, all, bytes }]
}

/**
 * How many images a run draws at once: as it is given, as the run has chosen before, or as many as fit.
 *
 * @param count of images in all
 * @throws {OutOfMemoryError} not even one does
 */
export function chooseDrawn(run: Run, policy: GenerativeModel, sampling: Sampling, count: number, room: Room): number {
  using _scope = tensorScope()
  const given = run.open.batchSize as number | null
  // A batch is one process's: each gets some.
  const share = Math.ceil(count / room.group.size)
  const tried = drawnAtOnce(policy, sampling, count, given).map((one) => ({ ...one, most: Math.min(one.most, share) }))
  const [batchSize = given ?? policy.defaults.batchSize] = chooseAtOnce(tried, room)
  if (given === null) run.choose({ batchSize })
  return batchSize
}
