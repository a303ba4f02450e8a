/** Alarms in a whole training: the loop, its files and the policy are real; the toy's images are 2 × 2 pixels. */
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readRun } from '../../run.ts'
import { policyStages, type PolicyStage } from '../../stages.ts'
import { trainToy, type ToyTraining } from '../toy-training.test-helper.ts'

const root = mkdtempSync(join(tmpdir(), 'attune-alarms-'))
after(() => rmSync(root, { recursive: true, force: true }))
let made = 0
const fresh = () => join(root, `run-${made++}`)
interface Row {
  readonly step: number
  readonly alarm?: string
  readonly alarm_level: number
  readonly probe_brightness: number
  readonly probe_jpeg_size: number
}
const rowsOf = (folder: string) =>
  readFileSync(join(folder, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => ({ ...(JSON.parse(line) as Row), at: undefined }))
const policyOf = (folder: string) => readFileSync(join(folder, 'policy.safetensors'))

/** Of each method, settings with which the toy leaves the base in some steps. */
const wild: Readonly<Record<PolicyStage, ToyTraining['settings']>> = {
  'policy dpok': { imagesDrawn: 80, learningRate: 0.3, klWeight: 0 },
  'policy nft': { imagesDrawn: 80, learningRate: 0.3, referenceWeight: 0 },
  'policy grpo': { imagesDrawn: 80, learningRate: 0.3 },
  'policy ddpo': { imagesDrawn: 80, learningRate: 0.3 },
  'policy draft': { imagesDrawn: 80, learningRate: 0.2 },
  'policy dpo': { updates: 10, learningRate: 0.2, beta: 2 },
  'policy reward-weighted': { updates: 10, learningRate: 0.2 },
}

for (const stage of policyStages) {
  describe(stage, () => {
    const settings = wild[stage]

    it('warns of a policy that has left its base, in every row of a look and in the results', async () => {
      const folder = fresh()
      await trainToy(folder, { stage, settings, alarms: 'warn' })
      const rows = rowsOf(folder)
      assert.deepEqual(rows.map(({ step }) => step), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) // prettier-ignore
      assert.equal(rows[0].alarm, undefined)
      for (const row of rows) {
        assert.ok(Number.isFinite(row.probe_brightness) && Number.isFinite(row.probe_jpeg_size))
        assert.equal(row.alarm_level > 1, row.alarm !== undefined)
      }
      const { results } = readRun(folder)
      const alarms = results.alarms as { statistic: string; step: number }[]
      assert.ok(alarms.length > 0)
      assert.ok(alarms.every(({ step }) => rows[step].alarm !== undefined))
      assert.equal(results.probeLooks, 11)
      assert.equal(results.policyOfStep, undefined)
    })

    it('stops where it is told to, with the policy of the best look before, and goes on to the same after a kill', async () => {
      const [whole, warned] = [fresh(), fresh()]
      const { steps } = await trainToy(whole, { stage, settings, alarms: 'stop' })
      const { results } = readRun(whole)
      assert.ok(steps < 10)
      assert.equal(results.stoppedAtStep, steps)
      assert.ok((results.policyOfStep as number) < steps)
      const rows = rowsOf(whole)
      assert.equal(rows.at(-1)!.step, steps)
      assert.ok(rows.slice(0, -1).every(({ alarm }) => alarm === undefined))

      // The same training without a stop is the same up to there.
      await trainToy(warned, { stage, settings, alarms: 'warn' })
      assert.deepEqual(rowsOf(warned).slice(0, rows.length), rows)

      for (const at of [2, steps].filter((one) => one > 1 && one <= steps)) {
        const folder = fresh()
        const ending = (step: number) => {
          if (step === at) throw new Error('ended')
        }
        const options = { stage, settings, alarms: 'stop' } as const
        await assert.rejects(trainToy(folder, { ...options, onStep: ending }), /ended/)
        await trainToy(folder, { ...options, resume: true })
        assert.deepEqual(policyOf(folder), policyOf(whole))
        assert.deepEqual(rowsOf(folder), rows)
        assert.deepEqual(readRun(folder).results.alarms, results.alarms)
      }
    })

    it('raises none of a policy that hardly changes', async () => {
      const folder = fresh()
      await trainToy(folder, { stage, settings: { ...settings, learningRate: 1e-6 }, alarms: 'stop' })
      const { results } = readRun(folder)
      assert.deepEqual(results.alarms, [])
      assert.equal(rowsOf(folder).length, 11)
    })
  })
}
