/** The JSON files beside weights that say what network they belong to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { checked } from '../../checked.ts'
import { FileError, FormatError } from '../../errors.ts'
import { otherFileKind } from '../../file-kind.ts'
import { jsonComplaint, mostConfigCharacters, parsePythonJson } from './python-json.ts'

const remedy = 'take the folder as diffusers or transformers saved it'

/**
 * Reads a file like `unet/config.json`.
 *
 * @param schema passes over keys that it does not name: real files carry many
 * @throws {FileError} the file is missing or cannot be read
 * @throws {FormatError} no JSON; or names file and field, what is accepted there and what was found
 */
export function readConfig<S extends z.ZodType>(folder: string, file: string, schema: S): z.output<S> {
  const path = join(folder, file)
  return checked(schema, readJson(path), path, remedy)
}

function readJson(path: string): unknown {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    const received = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (cause as Error).message
    throw new FileError({ where: path, expected: 'a JSON file', received, remedy, cause })
  }
  try {
    return parsePythonJson(bytes.toString(), mostConfigCharacters)
  } catch (cause) {
    const kind = otherFileKind(bytes.subarray(0, 512)) ?? { received: jsonComplaint(cause), remedy }
    throw new FormatError({ where: path, expected: 'JSON', ...kind, cause })
  }
}

/** What a config says of its class: diffusers writes `_class_name`, transformers `architectures`. */
export interface ClassConfig {
  readonly _class_name?: unknown
  readonly architectures?: unknown
}

/**
 * The class of the network, one of those that can be read.
 *
 * @param where the config's file, for the error
 * @throws {FormatError} another class, or none
 */
export function expectClass<C extends string>(config: ClassConfig, allowed: readonly C[], where: string): C {
  const field = config._class_name === undefined ? 'architectures' : '_class_name'
  const named = config._class_name ?? (Array.isArray(config.architectures) ? config.architectures[0] : undefined)
  const found = allowed.find((one) => one === named)
  if (found !== undefined) return found
  throw new FormatError({
    where: `${where} ${field}`,
    expected: allowed.length === 1 ? allowed[0] : `one of ${allowed.join(', ')}`,
    received: named === undefined ? 'no class' : String(named),
    remedy: 'choose a checkpoint of such a network; others cannot be read',
  })
}
