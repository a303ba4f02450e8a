/** What a process of a check executes in the tests: the embedded model with a fault, which FAULT names. */
import { serveTask } from '../src/child-processes.ts'
import type { Open } from '../src/images/open-model.ts'
import type { GenerativeModel } from '../src/networks/generative-model.ts'
import { open } from '../src/open.ts'
import { native } from '../src/tensor/library.ts'
import type { Tensor } from '../src/tensor/tensor.ts'
import { doCheckTask, type CheckTask, type CheckTaskResult } from '../src/check/tasks.ts'

export type Fault = keyof typeof faults

const ofThisProcess = 0.01 * Math.random()
const unchanged = (x: Tensor) => x
/** What becomes of its predictions and of its pixels. */
const faults = {
  none: { prediction: unchanged, pixels: unchanged },
  'other rounding with gradients': {
    prediction: (x: Tensor) => (native().gradMode() ? x.mul(1.001) : x),
    pixels: unchanged,
  },
  'another result in each process': { prediction: (x: Tensor) => x.add(ofThisProcess), pixels: unchanged },
  'one picture': { prediction: unchanged, pixels: (x: Tensor) => x.mul(0) },
} as const

const fault = faults[process.env.FAULT as Fault]

function odd(model: GenerativeModel): GenerativeModel {
  const { name, sha256, policyStage, imageSize, device, defaults, weights } = model
  return {
    ...{ name, sha256, policyStage, imageSize, device, defaults, weights },
    stages: model.stages.map((stage) => ({
      ...stage,
      predict: (xt, t, given) => fault.prediction(stage.predict(xt, t, given)),
    })),
    isTextPath: (parameter) => model.isTextPath(parameter),
    isAdapterTarget: (parameter, layers) => model.isAdapterTarget(parameter, layers),
    encodeText: (texts) => model.encodeText(texts),
    decode: (samples) => fault.pixels(model.decode(samples)),
    preview: (samples) => fault.pixels(model.preview(samples)),
    encode: (pixels) => model.encode(pixels),
    with: (change) => odd(model.with(change)),
    in: (dtype) => odd(model.in(dtype)),
  }
}

const openOdd: Open = async (config, policy) => {
  const opened = await open(config, policy)
  return { ...opened, model: odd(opened.model), policy: odd(opened.policy) }
}

serveTask<CheckTask, CheckTaskResult>((task, count) => doCheckTask(task, openOdd, count))
