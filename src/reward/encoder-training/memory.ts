/** In how many parts the pairs of an update are computed: as few as memory allows, tried on an encoder without elements. */
import type { Picture } from '../../images/png.ts'
import { chooseAtOnce, type AtOnce, type Room } from '../../images/at-once.ts'
import type { ImageTextEncoder } from '../../networks/image-text-encoder.ts'
import { gradientCheckpoints } from '../../tensor/gradient-checkpoints.ts'
import { mostHeld } from '../../tensor/memory.ts'
import type { Run } from '../../run.ts'
import { tensorScope } from '../../tensor/scope.ts'
import type { EncoderTrainingSettings } from './fields.ts'
import { lossOf } from './train-encoder.ts'
import { trainedEncoder } from './trained-encoder.ts'

/** Nothing of an encoder that has no hollow form. */
export function pairsAtOnce(
  encoder: ImageTextEncoder,
  settings: EncoderTrainingSettings,
  { pairs, processes }: { readonly pairs: number; readonly processes: number },
): AtOnce[] {
  if (encoder.hollow === undefined) return []
  const { gradientAccumulationSteps: parts, encoderBatchSize } = settings
  const own = Math.ceil(Math.min(encoderBatchSize ?? encoder.tuning!.usual.batchSize, pairs) / processes)
  return [
    {
      field: 'gradientAccumulationSteps',
      what: 'pairs with gradients',
      given: parts === null ? undefined : Math.ceil(own / parts),
      usual: own,
      most: own,
      all: own,
      bytes: (count, checkpoints) => updateBytes(encoder, settings, count, checkpoints),
      settingFor: (count) => Math.ceil(own / count),
    },
  ]
}

/** The settings with the number of parts: given, chosen by an earlier process of the run, or now. @throws {OutOfMemoryError} */
export function withParts<S extends EncoderTrainingSettings>(
  run: Run,
  encoder: ImageTextEncoder,
  settings: S,
  pairs: number,
  room: Room,
): S {
  using _scope = tensorScope()
  const chosen = (run.open.gradientAccumulationSteps ?? null) as number | null
  const open = { ...settings, gradientAccumulationSteps: settings.gradientAccumulationSteps ?? chosen }
  const [setting] = pairsAtOnce(encoder, open, { pairs, processes: room.group.size })
  if (setting === undefined) return open
  const [count] = chooseAtOnce([setting], room)
  if (open.gradientAccumulationSteps !== null) return open
  const values = { gradientAccumulationSteps: setting.settingFor!(count) }
  run.choose(values)
  return { ...open, ...values }
}

/** Pictures come to the size of the encoder before anything of size is computed. */
const tiny: Picture = { width: 8, height: 8, bytes: new Uint8Array(8 * 8 * 3) }

/** Bytes that are held at the most beside the encoder, for pairs whose images and prompts all differ. */
function updateBytes(
  encoder: ImageTextEncoder,
  settings: EncoderTrainingSettings,
  count: number,
  checkpoints: boolean,
): number {
  using _scope = tensorScope()
  const hollow = encoder.hollow!()
  const pairs = Array.from({ length: count }, (_, i) => ({
    ...{ better: 2 * i, worse: 2 * i + 1, isTie: false, weight: 1 },
    shown: String(i),
  }))
  return mostHeld(() => {
    const trained = trainedEncoder(hollow.tuning!, settings, 0)
    // The moments of the optimiser, and the best weights so far.
    const kept = [0, 1, 2].map(() => [...trained.parameters.values()].map((one) => one.detach().clone()))
    using graph = gradientCheckpoints(checkpoints)
    graph.backward(lossOf(trained, pairs, count, () => tiny))
    for (const one of kept.flat()) one.dispose()
  })
}
