import { statSync } from 'node:fs'
import { cachedSnapshot } from '../../networks/checkpoint/hub-cache.ts'
import { parseHubName } from '../../networks/checkpoint/hub-name.ts'
import { openClip, type ClipEncoder } from '../../networks/clip/clip-encoder.ts'
import { placementOf, type PlacementSettings } from '../../networks/placement.ts'

/**
 * Opens a CLIPModel for a reward on the config's device, in the type of {@link encoderPlacement}.
 *
 * @param name a folder as transformers saves it, or owner/name in the Hugging Face cache
 * @throws {FileError | FormatError} it is not there, broken, or of another class
 * @throws {ConfigError} a GPU that is not there
 */
export function openEncoder(name: string, config: PlacementSettings): ClipEncoder {
  return openClip(name, encoderPlacement(config))
}

/**
 * Where and in what type the network of a reward computes: in float32 unless the config names a type, on a GPU with products in
 * TF32. Scores of images of one prompt differ little, and bfloat16 has 8 significant bits (docs/benchmarks.md).
 *
 * @throws {ConfigError} a GPU that is not there
 */
export function encoderPlacement(config: PlacementSettings) {
  const { device, dtype } = placementOf(config)
  const isFree = config.mixedPrecision === null
  return { device, dtype: isFree ? ('float32' as const) : dtype, tf32: isFree && device !== 'cpu' }
}

/** Whether there is a folder of this name, or a model in the Hugging Face cache. */
export function isHere(name: string): boolean {
  if (statSync(name, { throwIfNoEntry: false })?.isDirectory()) return true
  const hubName = parseHubName(name)
  return hubName !== undefined && cachedSnapshot(hubName) !== undefined
}
