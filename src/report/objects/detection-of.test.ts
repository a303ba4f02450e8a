import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ConfigError } from '../../errors.ts'
import { fixtures } from '../../networks/clip/fixture.test-helper.ts'
import { checkDetector } from '../../networks/detector/open-detector.ts'
import { ReportConfig } from '../report-config.ts'
import { detectionOf } from './detection-of.ts'

const clip = join(fixtures, 'clip')
const owl = join(fixtures, '../features/owlvit')

const detection = (texts: readonly string[], more: object = {}, isJudged = false) => {
  const config = ReportConfig.parse({ reward: 'redness', detector: owl, out: 'report', ...more })
  const prompts = texts.map((text, i) => ({ id: `p${i}`, text, category: 'other' as const, split: 'seen' as const }))
  return detectionOf(config, { prompts }, checkDetector(owl), isJudged)
}

test('what a detector checks is told before the long work, and what it leaves out', () => {
  const texts = ['a dog', 'a red dog', 'a storm of some kind']
  const { colors, prompts, withoutColor, unstated } = detection(texts)
  assert.deepEqual([colors, prompts, withoutColor, unstated], [null, 1, 1, 1])
  for (const more of [{ encoder: clip }, { scorer: clip }, { reward: clip }]) {
    const found = detection(texts, more)
    assert.deepEqual([found.colors, found.prompts, found.withoutColor], [clip, 2, 0])
  }
})

test('a detector with nothing to check, or beside a judge, is refused', () => {
  assert.throws(() => detection(['stormy weather']), { name: 'ConfigError', message: /received none/ })
  assert.throws(() => detection(['a red dog']), { name: 'ConfigError', message: /--encoder/ })
  assert.throws(() => detection(['a dog'], {}, true), ConfigError)
})
