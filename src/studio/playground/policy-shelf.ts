/** The model that a playground draws with, and the changes of the policies that drew last: a few, so that memory is bounded. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ModelConfig, type Open, type OpenModel } from '../../images/open-model.ts'
import { parametersOf } from '../../networks/adapters.ts'
import type { GenerativeModel } from '../../networks/generative-model.ts'
import type { Change } from '../../networks/weights.ts'
import { changeAt, openChange } from '../../policy/policy-file.ts'
import { loraFileName, policyFileName } from '../../run-files.ts'
import { tensorScope, unscoped } from '../../tensor/scope.ts'
import { mostPoliciesKept } from '../schemas/playground.ts'
import type { DrawnPolicy } from './lines.ts'

interface Kept {
  readonly stamp: string
  readonly change: Change
}

export class PolicyShelf {
  readonly opened: OpenModel
  /** The one that drew last comes last. */
  readonly #changes = new Map<string, Kept>()

  private constructor(opened: OpenModel) {
    this.opened = opened
  }

  /** @throws {FileError | FormatError | ConfigError} as {@link Open} */
  static async open(model: string, open: Open): Promise<PolicyShelf> {
    return new PolicyShelf(await open(ModelConfig.parse({ model })))
  }

  /**
   * The model with a policy's change in front. What it needs beside what is kept belongs to the scope in force.
   *
   * @throws {FileError | FormatError} no policy of this model
   */
  policy({ source, strength }: DrawnPolicy): GenerativeModel {
    const { model } = this.opened
    return source === null ? model : model.with(changeAt(model, this.#changeOf(source), strength))
  }

  #changeOf(source: string): Change {
    const stamp = stampOf(source)
    const known = this.#changes.get(source)
    this.#changes.delete(source)
    if (known !== undefined && known.stamp !== stamp) free(known.change)
    const change = known?.stamp === stamp ? known.change : load(this.opened.model, source)
    this.#changes.set(source, { stamp, change })
    for (const [name, old] of this.#changes) {
      if (this.#changes.size <= mostPoliciesKept) break
      this.#changes.delete(name)
      free(old.change)
    }
    return change
  }
}

/** Its tensors belong to the caller. */
function load(model: GenerativeModel, source: string): Change {
  return unscoped(() => {
    using scope = tensorScope()
    const { change } = openChange(model, source)
    for (const tensor of parametersOf(change).values()) scope.keep(tensor)
    return change
  })
}

function free(change: Change): void {
  for (const tensor of parametersOf(change).values()) tensor.dispose()
}

/** A file may be replaced by another of its name. */
function stampOf(source: string): string {
  const files = [source, join(source, loraFileName), join(source, policyFileName)]
  return files
    .map((file) => statSync(file, { throwIfNoEntry: false }))
    .map((stat) => (stat?.isFile() === true ? `${stat.mtimeMs} ${stat.size}` : ''))
    .join()
}
