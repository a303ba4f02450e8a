/** The CLIPModel whose embeddings a reward reads, by what lies there alone. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { manifestName } from '../run-folder.ts'
import { readSafetensorsHeader } from '../tensor/safetensors.ts'
import { ownEncoderName } from './encoder-training/encoder-file.ts'
import { isHere } from './encoding/open-encoder.ts'
import { rewardFileName } from './reward-file.ts'

/**
 * @param name as stages name rewards
 * @returns its folder or name; undefined where it is not told
 * @throws {FileError | FormatError} a run whose file is broken
 */
export function encoderOfReward(name: string): string | undefined {
  const file = join(name, rewardFileName)
  if (!existsSync(file)) return isHere(name) && !existsSync(join(name, manifestName)) ? name : undefined
  const own = join(name, ownEncoderName)
  return existsSync(own) ? own : readSafetensorsHeader(file).metadata.encoderPath
}
