/** The embedded model among the families of models. */
import { ConfigError } from '../errors.ts'
import type { ModelConfig, ModelFamily } from '../images/open-model.ts'
import { imageSizeOf } from '../networks/image-size.ts'
import type { JudgedWorld } from '../report/judged-world.ts'
import { imageSize } from './scene.ts'
import { shapesNames, shapesWorld, type ShapesName } from './world.ts'

const named = (model: string): ShapesName | undefined => shapesNames.find((name) => name === model)

const world: JudgedWorld = {
  ...shapesWorld,
  judge: async () => (await import('./world-judge.ts')).openShapesJudge(),
  probe: async () => (await import('./probe-alignment.ts')).probeAlignment,
}

export const family = {
  accepts: shapesNames.join(', '),
  claims: (model) => named(model) !== undefined,
  world,
  async open(config) {
    expectSuitable(config)
    const { useThreads } = await import('../tensor/library.ts')
    const { openShapes } = await import('./open.ts')
    useThreads(config.threads ?? 1)
    return openShapes(named(config.model))
  },
} satisfies ModelFamily & { readonly world: JudgedWorld }

const ofCheckpoints = [
  ['vae', '--vae'],
  ['predictionType', '--prediction-type'],
  ['modelConfig', '--model-config'],
] as const

/** @throws {ConfigError} a setting that a network of one size and one type does not have */
function expectSuitable(config: ModelConfig): void {
  const { resolution, mixedPrecision, device } = config
  const { width, height } = imageSizeOf(resolution) ?? { width: imageSize, height: imageSize }
  const unsuitable =
    width !== imageSize || height !== imageSize
      ? ['--resolution', String(imageSize), String(resolution)]
      : (mixedPrecision ?? 'no') !== 'no'
        ? ['--mixed-precision', 'no', String(mixedPrecision)]
        : (device ?? 'cpu') !== 'cpu'
          ? ['--device', 'cpu', String(device)]
          : ofCheckpoints
              .map(([field, flag]) => [flag, 'nothing', String(config[field] ?? '')])
              .find(([, , given]) => given)
  if (unsuitable === undefined) return
  const [where, expected, received] = unsuitable
  throw new ConfigError({
    where,
    expected: `${expected} for ${config.model}`,
    received,
    remedy: 'leave it out, or give a real checkpoint with --model',
  })
}
