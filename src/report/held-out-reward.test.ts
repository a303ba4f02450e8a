import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ConfigError } from '../errors.ts'
import { imageRecord, judgment } from '../feedback/feedback-fixtures.test-helper.ts'
import { openFeedback } from '../feedback/store/store.ts'
import { startRun } from '../run.ts'
import { heldOutCaveat, heldOutFacts } from './held-out-reward.ts'
import { pastRun } from './lineage.ts'

const folder = mkdtempSync(join(tmpdir(), 'attune-'))
after(() => rmSync(folder, { recursive: true }))

async function store(name: string, from: number, to: number): Promise<string> {
  const file = join(folder, `${name}.sqlite`)
  await using opened = await openFeedback(file)
  const images = Array.from({ length: to - from }, (_, i) => imageRecord(from + i))
  await opened.addImages(images, folder)
  await opened.addJudgments(images.map((image) => judgment(image.sha256, image)))
  return file
}

function made(name: string, stage: string, parents: Record<string, string>, inputs?: Record<string, string>) {
  using run = startRun({ folder: join(folder, name), stage, config: {}, parents })
  if (inputs) run.dependsOn(inputs)
  run.finish()
  return pastRun(run.folder)
}

const reward = { name: join(folder, 'reward'), sha256: 'a' }

test('says how many of its labels taught the policies or their reward too', async () => {
  const [first, second, apart] = [
    await store('first', 0, 8),
    await store('second', 5, 11),
    await store('apart', 20, 24),
  ]
  const trained = made('reward', 'reward train', { feedback: first })
  const policy = made('policy', 'policy dpok', { reward: trained.folder }, { reward: 'a' })
  const of = async (feedback: string, name: string) => {
    const run = made(name, 'reward train', { feedback })
    return heldOutFacts({ name: run.folder, sha256: 'b', run }, reward, [policy, trained])
  }
  const [same, some, none] = [await of(first, 'same'), await of(second, 'some'), await of(apart, 'none')]
  assert.deepEqual([same.labels, some.labels, none.labels], [{ shared: 8, of: 8 }, { shared: 3, of: 6 }, { shared: 0, of: 4 }]) // prettier-ignore
  assert.match(heldOutCaveat(some)!, /labels that taught the policies or their reward too \(3 of 6\)/)
  assert.equal(heldOutCaveat(none), undefined)
  // A policy that learned from pairs has learned from labels without a reward.
  const pairs = made('pairs', 'policy dpo', { feedback: second })
  const byPairs = made('by-pairs', 'reward train', { feedback: second })
  const found = await heldOutFacts({ name: byPairs.folder, sha256: 'b', run: byPairs }, reward, [pairs])
  assert.deepEqual(found.labels, { shared: 6, of: 6 })
  rmSync(apart)
  const gone = await heldOutFacts({ name: 'none', sha256: 'b', run: pastRun(join(folder, 'none')) }, reward, [policy])
  assert.equal(gone.labels, null)
  assert.match(heldOutCaveat(gone)!, /not where they were/)
  const ready = await heldOutFacts({ name: 'PickScore', sha256: 'c', run: undefined }, reward, [policy])
  assert.deepEqual([ready, heldOutCaveat(ready)], [{ name: 'PickScore' }, undefined])
})

test('refuses a reward from which a policy learned, wherever it lies and however it is named', async () => {
  const other = join(folder, 'earlier-reward')
  const known = made('known', 'policy dpok', { reward: other }, { reward: 'd' })
  const old = made('old', 'policy reward-weighted', { reward: other })
  const refused = (sha256: string, name: string, taught = [known]) =>
    assert.rejects(heldOutFacts({ name, sha256, run: undefined }, reward, taught), (error: Error) => {
      assert.ok(error instanceof ConfigError)
      assert.match(error.message, /--held-out-reward: expected a reward that no policy learned from/)
      return true
    })
  await refused('a', 'copy-of-the-reward', [])
  await refused('d', 'moved')
  // Of a run that recorded no hash the path tells.
  await refused('e', `${other}/../earlier-reward`, [old])
  assert.deepEqual(await heldOutFacts({ name: other, sha256: 'e', run: undefined }, reward, [known]), { name: other })
})
