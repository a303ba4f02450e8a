/**
 * The flags of the stages, from the schemas that the command line uses. They live beside code that reaches libtorch, so
 * a process of its own reads them once, and this one stays small and quick to start.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Flag } from '../../config.ts'
import { scriptBeside } from '../../script-beside.ts'
import type { FormStage } from '../../stages.ts'

/** A field's JSON Schema, as far as forms need it. */
export interface Property {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  /** Of a setting that names runs: names that stand for themselves. */
  readonly examples?: readonly string[]
  readonly anyOf?: readonly Property[]
  readonly items?: Property
  readonly minimum?: number
  readonly exclusiveMinimum?: number
  readonly maximum?: number
  readonly exclusiveMaximum?: number
}

export interface PrintedStage {
  readonly flags: readonly Flag[]
  readonly schema: { readonly properties: Readonly<Record<string, Property>>; readonly required?: readonly string[] }
}
export type StageSchemas = Readonly<Record<FormStage, PrintedStage>>

const script = fileURLToPath(scriptBeside(import.meta.url, './print-stages'))
let reading: Promise<StageSchemas> | undefined

/** Reads them at the first call; later calls have the same answer. */
export function stageSchemas(): Promise<StageSchemas> {
  reading ??= promisify(execFile)(process.execPath, [script], { maxBuffer: 2 ** 22 }).then(
    ({ stdout }) => JSON.parse(stdout) as StageSchemas,
  )
  return reading
}
