import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { startRun } from '../run.ts'
import { coveredSeconds, curveOf, flatConfig, metricsOf, pastRun, runsBehind } from './lineage.ts'

test('time under way: side by side counts once, pauses do not count', () => {
  const at = (second: number, seconds: number) => ({ finishedAt: new Date(1000 * second).toISOString(), seconds })
  assert.equal(coveredSeconds([]), 0)
  assert.equal(coveredSeconds([at(10, 10), at(8, 4), at(15, 10), at(100, 5)]), 20)
})

test('the runs behind a run are found once each, with their settings and curves', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attune-'))
  try {
    const made = (name: string, parents: Record<string, string>, rows: readonly Record<string, number>[] = []) => {
      using run = startRun({ folder: join(folder, name), stage: name, config: { seed: 1, list: [1, 2] }, parents })
      rows.forEach((row, i) => run.metrics({ step: i + 1, ...row }))
      run.finish()
      return run.folder
    }
    const images = made('images', { prompts: 'prompts.jsonl' })
    const reward = made('reward', { images })
    const dpok = made('dpok', { images, reward }, [
      { images_drawn: 96, reward_mean: 0.4, kl: 0.1 },
      { images_drawn: 192, reward_mean: 0.5, kl: 0.2, explained_variance: 0.3 },
    ])
    const found = runsBehind([reward, dpok])
    assert.deepEqual(found.map((run) => run.manifest.stage).sort(), ['dpok', 'images', 'reward'])
    assert.equal(flatConfig(found.map((run) => ({ ...run, title: run.manifest.stage })))['reward.list'], '[1,2]')
    assert.equal(metricsOf(pastRun(reward)).length, 0)
    assert.equal(curveOf('reward-weighted', pastRun(reward)), undefined)
    assert.deepEqual(curveOf('dpok', pastRun(dpok))?.points, [
      { imagesDrawn: 96, reward: 0.4, klNats: 0.1 },
      { imagesDrawn: 192, reward: 0.5, klNats: 0.2, explainedVariance: 0.3 },
    ])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
