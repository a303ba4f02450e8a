/** What a report's detector is to check, found out before the long work. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError } from '../../errors.ts'
import type { CheckedDetector } from '../../networks/detector/open-detector.ts'
import { cachedSnapshot } from '../../networks/checkpoint/hub-cache.ts'
import { parseHubName } from '../../networks/checkpoint/hub-name.ts'
import { checkClip } from '../../networks/clip/clip-encoder.ts'
import type { EvaluationPlan } from '../draw.ts'
import type { ReportConfig } from '../report-config.ts'
import type { Detection } from '../schema.ts'
import { asksColor } from './check-objects.ts'
import { compositionOf } from './composition-of.ts'

/**
 * @throws {ConfigError} there is nothing to check, or a judge that does it
 * @throws {FileError | FormatError} the encoder is no CLIPModel, or broken
 */
export function detectionOf(
  { detector: name, detectorThreshold: threshold, encoder, scorer, reward }: ReportConfig,
  { prompts }: Pick<EvaluationPlan, 'prompts'>,
  { network, resize, sha256 }: CheckedDetector,
  isJudged: boolean,
): Detection {
  const where = `--detector ${name}`
  if (isJudged) {
    throw new ConfigError({
      where,
      expected: 'a model without a judge of its own',
      received: 'one whose judge reads the objects off each image',
      remedy: 'leave the detector out',
    })
  }
  if (encoder !== null) checkClip(folderOf(encoder) ?? encoder)
  const colors = [encoder, scorer, reward].find((one) => one !== null && isClip(one)) ?? null
  const stated = prompts.map(compositionOf).filter((one) => one !== undefined)
  const withoutColor = colors === null ? stated.filter(asksColor).length : 0
  const checked = stated.length - withoutColor
  if (checked === 0) {
    throw new ConfigError({
      where,
      expected: 'prompts that say which objects an image shows: "a red apple", or include and exclude in a .jsonl file',
      received: stated.length === 0 ? 'none' : 'such that ask for colours alone, without a CLIPModel to tell them',
      remedy: stated.length === 0 ? 'leave the detector out, or state the objects' : 'name a CLIPModel with --encoder',
    })
  }
  const unstated = prompts.length - stated.length
  return { network, resize, sha256, threshold, colors, prompts: checked, withoutColor, unstated }
}

/** The folder of a name, where there is one. */
function folderOf(name: string): string | undefined {
  if (existsSync(name)) return name
  const hubName = parseHubName(name)
  return hubName && cachedSnapshot(hubName)
}

function isClip(name: string): boolean {
  const folder = folderOf(name)
  const file = folder && join(folder, 'config.json')
  return file !== undefined && existsSync(file) && readFileSync(file, 'utf8').includes('"CLIPModel"')
}
