/** Policies of the embedded model that do something, though nobody has trained them. */
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { writePolicy } from '../policy/policy-file.ts'
import { trainableChange, type Trainable } from '../policy/trainable.ts'
import { startRun } from '../run.ts'
import { loraFileName } from '../run-files.ts'
import { openShapes } from './open.ts'
import { withoutGrad } from '../tensor/autograd.ts'
import { randn } from '../tensor/create.ts'
import { Generator } from '../tensor/generator.ts'

const kinds: readonly (readonly [NonNullable<Trainable['parameters']>, string])[] = [
  ['lora', 'dpok-1'],
  ['text', 'dpok-2'],
]

/** In a workspace `dpok-1` of adapters, `dpok-2` of weights that were trained themselves, and the adapters as `brought.safetensors`. */
export function addPolicies({ folder }: { readonly folder: string }): void {
  const { model } = openShapes()
  for (const [parameters, name] of kinds) {
    const made = trainableChange(model, { parameters, rank: 2, loraAlpha: 2, loraLayers: ['attention'] }, 1)
    const generator = new Generator(9)
    withoutGrad(() => {
      for (const parameter of made.parameters.values()) parameter.add_(randn(parameter.shape, generator).mul(0.05))
    })
    using run = startRun({ folder: join(folder, 'runs', name), stage: 'policy dpok', config: {} })
    writePolicy((file) => run.path(file), model, made, { algorithm: 'dpok', seed: 1 })
    run.finish()
  }
  copyFileSync(join(folder, 'runs', 'dpok-1', loraFileName), join(folder, 'loras', 'brought.safetensors'))
}
