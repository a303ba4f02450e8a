/** The policy of a run. */
import { join } from 'node:path'
import type { GenerativeModel } from '../networks/generative-model.ts'
import { readRun } from '../run.ts'
import { policyFileName, readPolicy, type StoredPolicy } from './trainable.ts'

/**
 * What a `policy dpok` or `policy reward-weighted` run changed in a model: `model.with(openPolicy(model, run).delta)`.
 *
 * @throws {FileError} no such run, or it is not finished
 * @throws {FormatError} not a policy, or one of another model
 */
export function openPolicy(model: GenerativeModel, folder: string): StoredPolicy {
  readRun(folder)
  return readPolicy(join(folder, policyFileName), model)
}
